// Who is behind the connections that come to an application's listener from stand-ins: its library
// asks when it accepts one. For the loop's thread only.
#ifndef TOOLS_SOCKSIFY_GSS_AGENT_CALLERS_H_
#define TOOLS_SOCKSIFY_GSS_AGENT_CALLERS_H_

#include <map>
#include <utility>

#include "lib/wire/address.h"

namespace socksify {

struct Caller {
  Address stand_in;
  Address peer;   // who it is
  Address bound;  // the server's end of the connection
};

class Callers {
 public:
  void Add(Caller caller) {
    const uint16_t port = caller.stand_in.port;
    known_[port] = {std::move(caller), false, false};
  }

  // Whom the stand-in plays. One whose connection has ended is known until it has been asked for:
  // the port may be anybody's after that.
  bool Ask(const Address& stand_in, Caller* caller) {
    const auto found = known_.find(stand_in.port);
    if (found == known_.end() || !(found->second.caller.stand_in == stand_in)) return false;
    *caller = found->second.caller;
    found->second.asked = true;
    if (found->second.ended) known_.erase(found);
    return true;
  }

  void End(uint16_t port) {
    const auto found = known_.find(port);
    if (found == known_.end()) return;
    found->second.ended = true;
    if (found->second.asked) known_.erase(found);
  }

 private:
  struct Known {
    Caller caller;
    bool asked, ended;
  };
  std::map<uint16_t, Known> known_;  // by the stand-in's port
};

}  // namespace socksify

#endif  // TOOLS_SOCKSIFY_GSS_AGENT_CALLERS_H_
