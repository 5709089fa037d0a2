// The shim's own threads: they negotiate, and send the tails that the kernel did not take. Started
// at the first need, gone when idle, all signals blocked; none of them survives a fork, and the
// child starts its own.
#ifndef SHIM_SERVICE_H_
#define SHIM_SERVICE_H_

#include <memory>

#include "shim/attempt.h"
#include "shim/connection_ref.h"

namespace socksify {

class Service {
 public:
  // Runs the attempt to its end, or its deadline, and tells the connection, which is kConnecting.
  // `fd` is the application's; the service works on a duplicate. Does not block.
  static void Negotiate(ConnectionRef connection, int fd, std::unique_ptr<Attempt> attempt);

  // The attempt's Prepare(), in the caller's thread, but not while others Quiesce.
  static Attempt::Next Prepare(Attempt& attempt);

  // Sends the connection's tail when the kernel takes it, also if the application closes `fd`.
  static void Flush(ConnectionRef connection, int fd);

  // Looks at its connections again: one has ended.
  static void Wake();

  // Does the application have this thread alone? The service's do not count.
  static bool IsOnlyThread();
  // Ends the service's threads if they have nothing to do, for calls that ask how many there are or
  // change what a thread may do.
  static void Retire();
  // Answers children on that descriptor, which it takes over, as long as there are sessions
  // (home.h). -1: goes on with the one it has.
  static void Listen(int listener);
  // A session has ended; perhaps nobody can ask for one any more.
  static void SessionEnded();

  // The process ends, or its program does: its connections are let go of, unless it breaks off, and
  // tails that are not out go to a process of their own, which ends with them.
  enum class How : unsigned char { kInOrder, kBrokenOff };
  static void End(How how);

  // Waits for threads that are in libkrb5 or the resolver to come out, and keeps them out until
  // Resume: their locks must not be held across a fork, nor their files be closed under them.
  // Before a fork a thread that waits for the KDC, where it holds no lock, may stay, and one that
  // resolves a name is waited for so long as it could hold libc's; before files are closed all are
  // waited for, but only a moment.
  enum class Before : unsigned char { kFork, kClose };
  static void Quiesce(Before what);
  static void Resume();

  // While it lives, its thread counts as one of those.
  class Blocking {
   public:
    Blocking();
    ~Blocking();
    Blocking(const Blocking&) = delete;
    Blocking& operator=(const Blocking&) = delete;
  };

  // While it lives, such a thread waits for the network. Nothing in other threads.
  enum class For : unsigned char { kKdc, kResolver };
  class NetworkWait {
   public:
    explicit NetworkWait(For what);
    ~NetworkWait();
    NetworkWait(const NetworkWait&) = delete;
    NetworkWait& operator=(const NetworkWait&) = delete;

   private:
    const For what_;
  };

  static void BeforeFork();
  static void AfterFork(bool in_child);
};

}  // namespace socksify

#endif  // SHIM_SERVICE_H_
