// Listens for the peer of one BIND request, at the address that the client's control connection
// came to, and takes one connection.
//
// The request names whom to expect. An address: it is judged by the rules as for CONNECT, and
// connects from whatever port it likes. A name: the same of its addresses. 0.0.0.0, ::, or no port:
// whoever connects is judged by the rules, as the address and port that it comes from. With 0.0.0.0
// or :: the port is the one that the client would like to have listened at; one below 1024, or one
// that is taken, is another one instead. Whoever else connects is turned away.
//
// Letting go of a PeerListener ends all of it without a report. For the loop's thread only.
#ifndef TOOLS_SOCKSD_GSS_PEER_LISTENER_H_
#define TOOLS_SOCKSD_GSS_PEER_LISTENER_H_

#include <uv.h>

#include <memory>
#include <vector>

#include "lib/wire/socks5.h"
#include "tools/loop/stream.h"
#include "tools/loop/timer.h"
#include "tools/socksd-gss/listener.h"
#include "tools/socksd-gss/lookup.h"
#include "tools/socksd-gss/server_rules.h"

namespace socksify {

class PeerListenerOwner {
 public:
  // It listens there, or what went wrong; also from inside Start().
  virtual void OnListening(Reply reply, const Address& bound) = 0;
  // Once, after that, from the loop: the connection and whose it is (which a connection that has
  // been reset since no longer says itself), or why there is none.
  virtual void OnPeer(Reply reply, StreamPtr peer, const Address& from) = 0;

 protected:
  ~PeerListenerOwner() = default;
};

class PeerListener final : public LookupOwner {
 public:
  // `owner` and `rules` must outlive it; the owner may let go of it in either report.
  PeerListener(uv_loop_t* loop, PeerListenerOwner* owner, const ServerRules& rules);
  PeerListener(const PeerListener&) = delete;
  PeerListener& operator=(const PeerListener&) = delete;

  void Start(const Address& requested, const sockaddr_storage& local);

 private:
  void OnResolved(std::vector<Address> found) override;
  void Listen(std::vector<Address> expected);
  bool OnConnection();
  void OnDeadline();
  bool Expects(const Address& peer) const;
  void Finish(Reply reply, StreamPtr peer, const Address& from);

  uv_loop_t* const loop_;
  PeerListenerOwner* const owner_;
  const ServerRules& rules_;
  Address requested_;
  sockaddr_storage local_ = {};
  std::vector<Address> expected_;  // empty: anybody
  Lookup lookup_;
  std::unique_ptr<Listener> listener_;
  Timer deadline_;
};

}  // namespace socksify

#endif  // TOOLS_SOCKSD_GSS_PEER_LISTENER_H_
