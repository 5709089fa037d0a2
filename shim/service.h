// The shim's own threads: they negotiate, and send the tails that the kernel did not take. Started
// at the first need, gone when idle, all signals blocked; none of them survives a fork, and the
// child starts its own.
#ifndef SHIM_SERVICE_H_
#define SHIM_SERVICE_H_

#include <memory>

#include "shim/attempt.h"
#include "shim/connection_ref.h"

namespace socksify {

struct Preparation;

class Service {
 public:
  // Runs the attempt to its end, or its deadline, and tells the connection, which is kConnecting.
  // `fd` is the application's; the service works on a duplicate. Does not block.
  static void Negotiate(ConnectionRef connection, int fd, std::unique_ptr<Attempt> attempt);

  // For the preparers: the attempt is prepared.
  static void Prepared(std::shared_ptr<Preparation> preparation);

  // Sends the connection's tail when the kernel takes it, also if the application closes `fd`.
  static void Flush(const ConnectionRef& connection, int fd);

  // Looks at its connections again: one has ended.
  static void Wake();

  // Does the application have this thread alone? The service's do not count.
  static bool IsOnlyThread();
  // Ends the service's threads if they have nothing to do, for calls that ask how many there are or
  // change what a thread may do.
  static void Retire();
  // The thread that main() runs in ends alone. With the program's last thread the process does, so
  // the service's do not stay then.
  static void MainLeaves();
  // Answers children on that descriptor, which it takes over, as long as there are sessions
  // (home.h). -1: goes on with the one it has.
  static void Listen(int listener);
  // A session has ended; perhaps nobody can ask for one any more.
  static void SessionEnded();

  // The process ends, or its program does: its connections are let go of, unless it breaks off, and
  // tails that are not out go to a process of their own, which ends with them.
  enum class How : unsigned char { kInOrder, kBrokenOff };
  static void End(How how);

  static void BeforeFork();
  static void AfterFork(bool in_child);
};

}  // namespace socksify

#endif  // SHIM_SERVICE_H_
