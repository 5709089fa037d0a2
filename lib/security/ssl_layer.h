// The SSL method of SOCKS 5 (draft-ietf-aft-socks-ssl-00, protocol.md section 2) on GnuTLS, for
// both roles: TLS 1.2 or later in frames, the options, and subauthentication inside.
#ifndef LIB_SECURITY_SSL_LAYER_H_
#define LIB_SECURITY_SSL_LAYER_H_

#include <memory>
#include <string>
#include <vector>

#include "lib/base/result.h"
#include "lib/base/secret.h"
#include "lib/security/security_layer.h"
#include "lib/security/users.h"
#include "lib/wire/socks5.h"

namespace socksify {

struct SslInitiatorOptions {
  std::string server_host = {};  // of the SOCKS server, as the user named it
  std::string tls_ca = {};       // file of trusted certificates; empty: the system's
  std::string tls_cert = {},
              tls_key = {};          // files or PKCS#11 URLs; without a key it is in tls_cert, too
  std::string tls_name = {};         // what the server's certificate must name; empty: server_host
  std::string tls_priority = {};     // of GnuTLS; empty: AEAD ciphers with forward secrecy
  std::vector<Method> subauth = {};  // offered, in order; empty: the option is not offered
  std::string user = {};
  Secret password = {};
  bool udp_naked = false;  // offer to have UDP relayed in clear
};

// Prepare() reads the files; what is read is kept for the process. Sessions are resumed, where the
// server gives tickets, by connections with equal options.
std::unique_ptr<SecurityLayer> NewSslInitiator(SslInitiatorOptions options);

// What a server shows and trusts, and the key of its session tickets. Acquired once, shared by all
// its connections, thread-safe.
class SslAcceptorCredential;
// `client_ca`: file of the certificates that clients' ones must be issued by; empty: no client is
// asked for one. kConfig or kCredentials says which of it cannot be used.
Result<std::shared_ptr<const SslAcceptorCredential>> AcquireSslAcceptorCredential(
    const std::string& cert, const std::string& key, const std::string& client_ca,
    const std::string& priority);

struct SslAcceptorOptions {
  std::shared_ptr<const SslAcceptorCredential> credential = nullptr;
  // Accepted, best first. Empty: not asked for; required unless it holds kNone.
  std::vector<Method> subauth = {};
  const UserDatabase* users = nullptr;  // outlives the layer; needed with subauth
  bool udp_naked = false;               // agree to relay UDP in clear
};
std::unique_ptr<SecurityLayer> NewSslAcceptor(SslAcceptorOptions options);

}  // namespace socksify

#endif  // LIB_SECURITY_SSL_LAYER_H_
