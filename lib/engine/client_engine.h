// The client's side of one SOCKS connection as a state machine: octets in, octets out, no
// descriptor, no clock, no callback.
//
//   greeting -> choice -> sub-negotiation -> request -> reply -> established
//
// BIND has two replies: where the server listens, and then who has connected; waiting for the
// second may take as long as the peer likes.
//
// The caller sends what output() holds, reads no more than WantedOctets() and feeds it, until the
// state is kEstablished (or kFailed: send what output() still holds, then close). It owns the
// engine; one thread at a time.
#ifndef LIB_ENGINE_CLIENT_ENGINE_H_
#define LIB_ENGINE_CLIENT_ENGINE_H_

#include <memory>
#include <optional>
#include <string>

#include "lib/base/bytes.h"
#include "lib/base/result.h"
#include "lib/config/config.h"
#include "lib/security/security_layer.h"
#include "lib/wire/socks5.h"

namespace socksify {

class ClientEngine {
 public:
  enum class State : uint8_t { kNegotiating, kEstablished, kFailed };

  // `config` must outlive the engine. `server` is the one of config.servers that is being talked
  // to. Without a request (--check) the engine is established once the security layer is.
  static std::unique_ptr<ClientEngine> New(const Config& config, const ServerEndpoint& server,
                                           std::optional<Request> request);
  virtual ~ClientEngine() = default;

  // Call it first. Makes what can be made before the server has spoken: credentials, the first
  // token, the greeting. May block on the KDC; nothing else here blocks. A failure is also the
  // engine's. For UDP ASSOCIATE a method that would send datagrams in clear where that is not
  // allowed (kPolicy) is not offered.
  virtual Status Prepare() = 0;

  virtual State state() const = 0;
  virtual const Status& error() const = 0;  // ok() unless kFailed

  // Octets for the server. ConsumeOutput says how many of them have been sent.
  virtual ByteView output() const = 0;
  virtual void ConsumeOutput(size_t count) = 0;

  // How many octets to read next, at most; 0 when nothing is wanted.
  virtual size_t WantedOctets() const = 0;

  // Takes octets from the server, at most WantedOctets().
  virtual void Feed(ByteView octets) = 0;

  // The server has closed its side. Fails the engine unless a short failure reply ends that way.
  virtual void FeedEof() = 0;

  // BIND: the server listens at bound(), and what is wanted are the octets of its second reply.
  virtual bool listening() const = 0;

  // --- established ---
  virtual Method method() const = 0;
  virtual SecuritySummary summary() const = 0;
  virtual const Address& bound() const = 0;  // of the (first) reply; unspecified: the server's own
  virtual const Address& peer() const = 0;   // BIND: of the second reply
  virtual std::unique_ptr<SecurityLayer> TakeLayer() = 0;  // once
  virtual Bytes TakeEarlyData() = 0;  // plaintext that came in the reply's frame
};

}  // namespace socksify

#endif  // LIB_ENGINE_CLIENT_ENGINE_H_
