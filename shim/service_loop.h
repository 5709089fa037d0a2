// The service's loop over the connections that are in its hands, for one thread: those that are
// being negotiated, and those whose tail the kernel does not take yet. It looks at what is new,
// prepared, ready or overdue; at all of them only when it is told that a connection has ended.
#ifndef SHIM_SERVICE_LOOP_H_
#define SHIM_SERVICE_LOOP_H_

#include <cstdint>
#include <list>
#include <memory>
#include <set>
#include <utility>

#include "shim/connection.h"
#include "shim/connection_ref.h"
#include "shim/preparers.h"

namespace socksify {

// A connection in the loop's hands.
struct ServiceItem {
  enum class Kind { kPrepare, kNegotiate, kFlush };
  Kind kind;
  ConnectionRef connection;
  int fd;                                    // a duplicate, the service's own
  std::shared_ptr<Preparation> preparation;  // unless kFlush; after kPrepare the loop's alone
  uint32_t generation = 0;                   // of the connection's attempts, this one
  uint32_t watched = 0;                      // what epoll waits for; 0: it does not know of it
  std::list<ServiceItem>::iterator place{};  // in the loop's list

  Attempt& attempt() const { return *preparation->attempt; }
  // Nobody wants to know what it comes to.
  bool abandoned() const { return kind != Kind::kFlush && !connection->IsConnecting(generation); }
};

class ServiceLoop {
 public:
  using Items = std::list<ServiceItem>;

  // An epoll instance for such a loop, in which an event wakes it. A descriptor of the shim's own,
  // as `wake_event` is; -1 with errno.
  static int NewEpoll(int wake_event);

  ServiceLoop(int epoll, int wake_event) : epoll_(epoll), wake_event_(wake_event) {}

  bool empty() const { return items_.empty() && listener_ < 0; }
  // Has nothing come for a while?
  bool idle() const { return idle_; }

  void Enter(Items arrived);
  void Prepared(const Preparation& preparation);
  void LookForEnded();
  // Where children ask; -1: they do no more. Call it before that is closed.
  void ListenOn(int listener);

  // Waits for something to come, and goes on with it; not for long if `look_again`.
  void Await(bool look_again);

 private:
  using Item = ServiceItem;

  int Timeout(bool look_again) const;
  void LookAtAll();

  // Each of these goes on with the item, which may be gone then.
  void Begin(Item& item);
  void Ready(Item& item);
  void Negotiate(Item& item, Attempt::Next next);
  void Flush(Item& item);
  void Fail(Item& item, const Status& error);
  void Conclude(Item& item);
  void End(Item& item);

  void Watch(Item& item, uint32_t events);

  const int epoll_;
  const int wake_event_;
  int listener_ = -1;
  Items items_;
  std::set<std::pair<Deadline, Item*>> deadlines_;  // of attempts
  bool idle_ = false;
  bool blind_ = false;  // epoll has refused a descriptor
};

}  // namespace socksify

#endif  // SHIM_SERVICE_LOOP_H_
