// Work that may block on other machines, in libraries that know nothing of fork: libkrb5, and
// libc's resolver. Their locks must not be held across a fork, nor their files be closed under
// them.
#ifndef SHIM_BLOCKING_WORK_H_
#define SHIM_BLOCKING_WORK_H_

#include <ctime>

namespace socksify {

// While it lives, its thread does such work. Not begun while others Quiesce.
class BlockingWork {
 public:
  BlockingWork();
  ~BlockingWork();
  BlockingWork(const BlockingWork&) = delete;
  BlockingWork& operator=(const BlockingWork&) = delete;

  // Waits for threads that do such work to come out, and keeps them out until Resume. Before a fork
  // a thread that waits for the KDC, where it holds no lock, may stay, and one that resolves a name
  // is waited for so long as it could hold libc's; before files are closed all are waited for, but
  // only a moment.
  enum class Before : unsigned char { kFork, kClose };
  static void Quiesce(Before what);
  static void Resume();

  static void BeforeFork();
  static void AfterFork(bool in_child);
};

// While it lives, a thread that does such work waits for the network. Nothing in other threads.
class NetworkWait {
 public:
  enum class For : unsigned char { kKdc, kResolver };
  explicit NetworkWait(For what);
  ~NetworkWait();
  NetworkWait(const NetworkWait&) = delete;
  NetworkWait& operator=(const NetworkWait&) = delete;

 private:
  const For what_;
};

// Of CLOCK_REALTIME, for pthread_cond_timedwait.
timespec DeadlineIn(int milliseconds);

}  // namespace socksify

#endif  // SHIM_BLOCKING_WORK_H_
