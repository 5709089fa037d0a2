// The shim's own threads: they negotiate for non-blocking connect() and send the tails that the kernel
// did not take. Started at the first need, gone when idle, all signals blocked; none of them survives a
// fork, and the child starts its own.
#ifndef SHIM_SERVICE_H_
#define SHIM_SERVICE_H_

#include "shim/connection_ref.h"

namespace socksify {

class Service {
 public:
  // Runs connection->attempt to its end and calls Finish. `fd` is the application's; the service works
  // on a duplicate. `prepared`: the attempt's Prepare() has been called.
  static void Negotiate(ConnectionRef connection, int fd, bool prepared);

  // Sends the connection's tail when the kernel takes it, also if the application closes `fd`.
  static void Flush(ConnectionRef connection, int fd);

  // Looks at its connections again: one has ended.
  static void Wake();

  // Before the process ends: waits until all tails are out, or cannot be within the timeout.
  static void Drain();

  static void BeforeFork();
  static void AfterFork(bool in_child);
};

}  // namespace socksify

#endif  // SHIM_SERVICE_H_
