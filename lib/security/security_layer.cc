#include "lib/security/security_layer.h"

namespace socksify {

const char* ProtectionLevelName(ProtectionLevel level) {
  switch (level) {
    case ProtectionLevel::kNone:
      return "none";
    case ProtectionLevel::kIntegrity:
      return "integrity";
    case ProtectionLevel::kConfidentiality:
      return "confidentiality";
    case ProtectionLevel::kSelective:
      return "selective";
  }
  return "unknown";
}

}  // namespace socksify
