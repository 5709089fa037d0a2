// Which destinations go direct: names, .suffix, addresses, CIDR, each with an optional port.
#ifndef LIB_CONFIG_BYPASS_H_
#define LIB_CONFIG_BYPASS_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/wire/address.h"

namespace socksify {

// One rule. Names compare without regard to case and to a trailing dot.
struct BypassRule {
  enum class Kind : uint8_t { kName, kSuffix, kNetwork };
  Kind kind = Kind::kName;
  std::string name;                      // "localhost"; for a suffix with its dot: ".corp.example"
  std::array<uint8_t, 16> network = {};  // IPv4 as v4-mapped
  uint8_t prefix = 0;                    // bits of the 128
  uint16_t port = 0;                     // 0: every port
};

class BypassRules {
 public:
  // A comma-separated list; blanks around items and empty items are skipped. kConfig names the item
  // that is wrong.
  static Result<BypassRules> Parse(std::string_view list);

  // Does this destination go direct? A name matches rules for names only.
  bool Matches(const Address& destination) const;

  // Does it by a rule that names its port, too?
  bool MatchesWithPort(const Address& destination) const;

  // Is there a rule for this name, whatever its port? Then it must be resolved locally.
  bool MentionsName(std::string_view name) const;

  // Does all that goes direct stay on this host (localhost, 127.0.0.0/8, ::1)?
  bool IsOnlyLoopback() const;

  bool empty() const { return rules_.empty(); }
  std::string ToString() const;  // a list that Parse reads back

 private:
  std::vector<BypassRule> rules_;
};

}  // namespace socksify

#endif  // LIB_CONFIG_BYPASS_H_
