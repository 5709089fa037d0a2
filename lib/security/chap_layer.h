// CHAP with HMAC-MD5 (draft-ietf-aft-socks-chap-01, protocol.md section 3), a method of its own and
// one for inside SSL. It proves that one knows the password; afterwards octets go as they are.
#ifndef LIB_SECURITY_CHAP_LAYER_H_
#define LIB_SECURITY_CHAP_LAYER_H_

#include <memory>
#include <string>

#include "lib/base/secret.h"
#include "lib/security/security_layer.h"
#include "lib/security/users.h"

namespace socksify {

// `mutual`: challenge the server, too. One that answers must answer rightly; one that does not is
// taken as it is, since the draft allows it.
std::unique_ptr<SecurityLayer> NewChapInitiator(std::string user, Secret password, bool mutual);

// `users` must outlive the layer. Answers a challenge of the client, if there is one.
std::unique_ptr<SecurityLayer> NewChapAcceptor(const UserDatabase& users);

}  // namespace socksify

#endif  // LIB_SECURITY_CHAP_LAYER_H_
