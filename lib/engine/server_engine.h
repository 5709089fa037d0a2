// The server's side of one SOCKS connection as a state machine: octets in, octets out.
//
//   greeting -> choice -> sub-negotiation -> request (the caller acts on it) -> reply -> relaying
//                                                           BIND: reply -> listening -> reply ^
//                                                           UDP ASSOCIATE: reply -> associated
//
// The caller feeds whatever it reads, sends what output() holds, and when the state is kRequest
// connects to the target, listens or opens a relay, as request().command says, and calls Answer().
// When it is kRelaying plaintext() is for the target and SendPlaintext() for the client. The end of
// the stream before kRequest, or in kListening, is an error (kTruncated).
//
// Before the client is authenticated and its request answered only as much is kept as the messages
// due can hold, so a caller that stops reading while the state is kRequest needs no bound of its
// own. Owned by the caller; one thread at a time.
#ifndef LIB_ENGINE_SERVER_ENGINE_H_
#define LIB_ENGINE_SERVER_ENGINE_H_

#include <memory>
#include <string>
#include <vector>

#include "lib/base/bytes.h"
#include "lib/base/result.h"
#include "lib/engine/codec.h"
#include "lib/security/security_layer.h"
#include "lib/security/users.h"
#include "lib/wire/socks5.h"

namespace socksify {

class GssAcceptorCredential;  // lib/security/gss_layer.h
class SslAcceptorCredential;  // lib/security/ssl_layer.h

// What this server accepts. Shared by all its engines, immutable.
struct ServerPolicy {
  std::vector<Method> methods = {Method::kGssapi};  // in order of preference
  std::vector<ProtectionLevel> levels = {ProtectionLevel::kConfidentiality,
                                         ProtectionLevel::kIntegrity};  // accepted
  std::shared_ptr<const GssAcceptorCredential> gss_credential;  // null: the process's default
  bool gss_nec = false;                                         // take the level in clear too
  bool gss_fast_path = true;                                    // messages without the library
  std::shared_ptr<const SslAcceptorCredential> ssl_credential;  // needed for kSsl
  std::vector<Method> subauth;  // inside ssl, best first; required unless it holds kNone
  bool udp_naked = false;       // agree to relay UDP of ssl clients in clear
  UserDatabase users;           // for userpass and chap
};

class ServerEngine : public Codec {
 public:
  enum class State : uint8_t {
    kNegotiating,
    kRequest,     // request() is complete; Answer() is awaited
    kListening,   // BIND: a success has been answered; Answer() with the peer is awaited
    kAssociated,  // UDP ASSOCIATE: so it has; what comes on the connection is checked and dropped,
                  // and layer() is for the datagrams, which end with it
    kRelaying,    // a success has been answered, for BIND the second one
    kFailed,      // error() says why, or the answer was a failure; send output(), then close
  };

  // Makes the accepting side of a method of the policy; null for one that this server does not do.
  using LayerFactory = std::unique_ptr<SecurityLayer> (*)(Method method,
                                                          const ServerPolicy& policy);

  // `policy` must outlive the engine.
  static std::unique_ptr<ServerEngine> New(const ServerPolicy& policy);
  static std::unique_ptr<ServerEngine> New(const ServerPolicy& policy, LayerFactory new_layer);

  virtual State state() const = 0;

  virtual const Request& request() const = 0;  // from kRequest on; of a known command
  // kRequest and kListening: a success goes on, anything else fails the engine once it is sent.
  virtual void Answer(Reply reply, const Address& bound) = 0;

  virtual Method method() const = 0;  // kNoAcceptable until one is chosen
  virtual SecuritySummary summary() const = 0;
};

}  // namespace socksify

#endif  // LIB_ENGINE_SERVER_ENGINE_H_
