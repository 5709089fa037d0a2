// What earlier sessions of this process left for later ones with the same server, so that they need
// no certificates. In memory alone; any thread. Private to security/ssl_*.
#ifndef LIB_SECURITY_SSL_TICKETS_H_
#define LIB_SECURITY_SSL_TICKETS_H_

#include <string>

#include "lib/base/secret.h"

namespace socksify {

// `server` says with whom and under which credentials.
Secret FindTicket(const std::string& server);               // empty: none
void KeepTicket(const std::string& server, Secret ticket);  // the latest counts

}  // namespace socksify

#endif  // LIB_SECURITY_SSL_TICKETS_H_
