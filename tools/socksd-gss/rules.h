// --allow and --deny: which targets clients may reach. Immutable once parsed.
#ifndef TOOLS_SOCKSD_GSS_RULES_H_
#define TOOLS_SOCKSD_GSS_RULES_H_

#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/config/bypass.h"
#include "lib/wire/address.h"

namespace socksify {

// To the kernel 0.0.0.0 and :: are this host, so that is how the rules must see them.
Address Effective(const Address& address);

// Rules are tried in the order they were given; the first that matches decides.
//
// A name is judged twice: as requested, by the rules for names, and each address it resolves to, by
// those for networks. A denial in either is final: whoever controls a name must not reach with it
// an address that is denied. One allowance is enough if neither denies. With no rules all is
// allowed; with any, what no rule matches is denied.
class TargetRules {
 public:
  bool empty() const { return rules_.empty(); }

  // `text`: NETWORK, ADDRESS, NAME or .SUFFIX, each with an optional :PORT or :FIRST-LAST.
  Status Add(bool allow, std::string_view text);

  // Of a name before it is resolved: false when no address could make it pass.
  bool MayResolve(const Address& name) const;

  // May a client that asked for `requested` be connected to `resolved` (an address; the same as
  // `requested` when that is one)?
  bool Allows(const Address& requested, const Address& resolved) const;

 private:
  enum class Verdict : unsigned char { kNone, kAllow, kDeny };
  struct Rule {
    bool allow;
    bool is_name;        // a name or suffix, not a network
    BypassRules target;  // one item, without a port
    uint16_t first_port, last_port;

    bool Covers(uint16_t port) const { return first_port <= port && port <= last_port; }
  };
  Verdict Judge(const Address& target) const;

  std::vector<Rule> rules_;
};

}  // namespace socksify

#endif  // TOOLS_SOCKSD_GSS_RULES_H_
