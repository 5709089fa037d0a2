// What sessions go by. Immutable: who reads the files anew makes new rules for new sessions.
#ifndef TOOLS_SOCKSD_GSS_SERVER_RULES_H_
#define TOOLS_SOCKSD_GSS_SERVER_RULES_H_

#include <memory>

#include "lib/engine/server_engine.h"
#include "tools/socksd-gss/quota.h"
#include "tools/socksd-gss/rules.h"

namespace socksify {

struct ServerRules {
  ServerPolicy policy;
  TargetRules targets;
  TargetRules udp_sources;  // that may send to clients unasked; none if it is empty
  unsigned connect_seconds = 30;
  unsigned idle_seconds = 300;   // of associations, and of BIND until somebody connects
  std::shared_ptr<Quota> quota;  // of open ports, by client
};

}  // namespace socksify

#endif  // TOOLS_SOCKSD_GSS_SERVER_RULES_H_
