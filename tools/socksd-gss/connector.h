// Connects to the target of one request: resolves the name, drops the addresses that the rules
// deny, and tries the rest in order, a new one every 250 ms or as soon as one fails (RFC 8305 in
// short).
//
// Letting go of a Connector ends all of it without a report. For the loop's thread only.
#ifndef TOOLS_SOCKSD_GSS_CONNECTOR_H_
#define TOOLS_SOCKSD_GSS_CONNECTOR_H_

#include <uv.h>

#include <memory>
#include <vector>

#include "lib/wire/socks5.h"
#include "tools/loop/stream.h"
#include "tools/loop/timer.h"
#include "tools/socksd-gss/lookup.h"
#include "tools/socksd-gss/rules.h"

namespace socksify {

class ConnectorOwner {
 public:
  // Once: kSucceeded with the connection, or what went wrong without one. Never from inside
  // Start(); the owner may let go of the connector in it.
  virtual void OnConnected(Reply reply, StreamPtr target) = 0;

 protected:
  ~ConnectorOwner() = default;
};

class Connector final : public LookupOwner {
 public:
  // `owner` and `rules` must outlive the connector.
  Connector(uv_loop_t* loop, ConnectorOwner* owner, const TargetRules& rules);
  ~Connector();
  Connector(const Connector&) = delete;
  Connector& operator=(const Connector&) = delete;

  // `seconds` is for all of it: resolving and every address.
  void Start(const Address& target, unsigned seconds);

 private:
  struct Attempt;  // lives until libuv is done with it, also without the connector

  void Resolve();
  void OnResolved(std::vector<Address> found) override;
  void AddCandidate(Address address);
  void TryNext();
  void OnAttempt(Attempt* attempt, int error);
  void Note(Reply failure);
  void Finish(Reply reply, StreamPtr target);

  uv_loop_t* const loop_;
  ConnectorOwner* const owner_;
  const TargetRules& rules_;
  Address target_;
  Lookup lookup_;
  std::vector<Address> candidates_;  // allowed, in order
  size_t next_ = 0;
  std::vector<Attempt*> running_;
  Reply failure_ = Reply::kNotAllowed;  // the answer if nothing succeeds
  bool failed_once_ = false;
  Timer deadline_;
  Timer stagger_;
};

// What a failed connect() is to the client (protocol.md section 4). `error` is libuv's, a negated
// errno.
Reply ReplyForError(int error);

}  // namespace socksify

#endif  // TOOLS_SOCKSD_GSS_CONNECTOR_H_
