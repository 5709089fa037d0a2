// The methods without per-message protection: no authentication (RFC 1928 method 00) and
// username/password (RFC 1929, method 02). After the sub-negotiation octets go as they are.
#ifndef LIB_SECURITY_CLEAR_LAYER_H_
#define LIB_SECURITY_CLEAR_LAYER_H_

#include <memory>
#include <string>

#include "lib/base/secret.h"
#include "lib/security/security_layer.h"
#include "lib/security/users.h"

namespace socksify {

std::unique_ptr<SecurityLayer> NewClearLayer();  // method 00, both roles

std::unique_ptr<SecurityLayer> NewUserpassInitiator(std::string user, Secret password);

// `users` must outlive the layer.
std::unique_ptr<SecurityLayer> NewUserpassAcceptor(const UserDatabase& users);

}  // namespace socksify

#endif  // LIB_SECURITY_CLEAR_LAYER_H_
