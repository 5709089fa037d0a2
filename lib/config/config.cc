#include "lib/config/config.h"

namespace socksify {

std::string ServerEndpoint::ToString() const {
  const bool brackets = host.find(':') != std::string::npos;
  return (brackets ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace socksify
