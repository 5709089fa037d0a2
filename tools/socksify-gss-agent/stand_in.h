// The stand-ins of one association: a socket on loopback for each peer of the application's socket,
// connected to that, so that nobody else can use it.
//
// The library remembers which port plays whom, so a port plays nobody else until thousands of
// others have gone after it. The number of stand-ins is bounded; the one that was used least
// recently goes first, and those that the application has never sent to are counted on their own.
// For the loop's thread only.
#ifndef TOOLS_SOCKSIFY_GSS_AGENT_STAND_IN_H_
#define TOOLS_SOCKSIFY_GSS_AGENT_STAND_IN_H_

#include <uv.h>

#include <deque>
#include <list>
#include <optional>
#include <unordered_map>

#include "lib/base/bytes.h"
#include "lib/base/result.h"
#include "lib/wire/address.h"
#include "tools/helper/unique_fd.h"
#include "tools/loop/watch.h"

namespace socksify {

class StandIn;

class StandInOwner {
 public:
  virtual void OnStandIn(StandIn& stand_in) = 0;  // it is readable

 protected:
  ~StandInOwner() = default;
};

class StandIn {
 public:
  StandIn(uv_loop_t* loop, StandInOwner* owner, const Address& peer);

  int socket() const { return socket_.get(); }
  const Address& peer() const { return peer_; }
  const Address& address() const { return address_; }  // its own
  ByteView head() const { return head_; }              // of every datagram to the peer

 private:
  friend class StandIns;

  StandInOwner* const owner_;
  const Address peer_;
  Bytes head_;
  Address address_;
  UniqueFd socket_;
  Watch watch_;
  bool reached_ = false;           // the application has asked for it, or sent to it
  bool located_ = false;           // of a name: where its datagrams come from is known
  std::optional<Address> source_;  // where that is, if it is not the name
};

class StandIns {
 public:
  // `owner` outlives them. `own`: where the application's socket is.
  StandIns(uv_loop_t* loop, StandInOwner* owner, Address own);

  // The one for the peer that the application asks for. An errno when there cannot be one.
  StandIn* Reach(const Address& peer, int* error);

  // The one for a peer that has sent something; null when there cannot be one.
  StandIn* Meet(const Address& source);

  // The application has sent to it.
  void Touch(StandIn& stand_in);

  // Which peer it plays, or has played; null for none.
  const Address* WhoIs(const Address& stand_in) const;

  // The application's socket is elsewhere by now. An errno, or 0.
  int Move(const Address& own);

  // From now on they are watched for datagrams, or not.
  void Listen(bool listen);

  // From now on the kernel refuses the application's datagrams, and what has come is dropped; or it
  // takes them again. The ports stay theirs: nobody else gets what the application sends there.
  void Refuse(bool refuse);

  // One that has something to read; null for none.
  StandIn* Pending();

  // The server resolves names anew.
  void ForgetSources();

 private:
  struct Hash {
    size_t operator()(const Address& address) const;
  };
  using List = std::list<StandIn>;  // most recently used first

  StandIn* Find(const Address& peer);
  StandIn* Attribute(const Address& source);
  StandIn* Make(const Address& peer, bool reached, int* error);
  int Open(StandIn& stand_in);
  int Bind(StandIn& stand_in, const Address& host);
  int Connect(const StandIn& stand_in) const;
  bool DropLeastUsed();
  void Drop(List& list, List::iterator at);

  uv_loop_t* const loop_;
  StandInOwner* const owner_;
  Address own_;
  bool listening_ = false;
  bool refusing_ = false;
  List reached_, unknown_;
  std::unordered_map<Address, List::iterator, Hash> by_peer_;  // and by the source of a name
  std::unordered_map<uint16_t, Address> played_;               // by port, also those of gone_
  std::deque<uint16_t> gone_;                                  // the oldest first
};

}  // namespace socksify

#endif  // TOOLS_SOCKSIFY_GSS_AGENT_STAND_IN_H_
