// The threads that get attempts ready, which may block on the resolver and the KDC: a few of them
// for all attempts of the process, gone when idle.
#ifndef SHIM_PREPARERS_H_
#define SHIM_PREPARERS_H_

#include <atomic>
#include <ctime>
#include <memory>

#include "shim/attempt.h"

namespace socksify {

struct ServiceItem;  // service_loop.h

// An attempt on its way through a preparer's thread. Shared, because the service gives up at the
// deadline while the preparer still waits for the KDC; whoever comes last frees it.
struct Preparation {
  std::unique_ptr<Attempt> attempt;
  Attempt::Next next = Attempt::Next::kPrepare;  // what it has come to
  std::atomic<ServiceItem*> item{nullptr};       // nullptr: nobody wants it any more
};

class Preparers {
 public:
  // Has one call Prepare(), and then Service::Prepared().
  static void Enter(std::shared_ptr<Preparation> preparation);

  static unsigned threads();
  // Ends those that have nothing to do. False when some are at work when the time is up, which is
  // of CLOCK_REALTIME.
  static bool Retire(const timespec& until);

  static void BeforeFork();
  static void AfterFork(bool in_child);
};

}  // namespace socksify

#endif  // SHIM_PREPARERS_H_
