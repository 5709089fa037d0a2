// Where the Kerberos library or GnuTLS is called and no lock of a connection is held. They keep
// locks of their own and know nothing of fork: a child must not be made while another thread holds
// one, for there nobody would give it back.
#ifndef SHIM_LIBRARY_CALL_H_
#define SHIM_LIBRARY_CALL_H_

#include <pthread.h>
#include <time.h>

#include "shim/guard.h"

namespace socksify {

// Does not nest, and what is called meanwhile does not block. What may is Service::Prepare's.
class LibraryCall {
 public:
  LibraryCall() {
    pthread_rwlock_rdlock(&lock_);
  }  // once guard_ keeps signals and cancellation out
  ~LibraryCall() { pthread_rwlock_unlock(&lock_); }
  LibraryCall(const LibraryCall&) = delete;
  LibraryCall& operator=(const LibraryCall&) = delete;

  // After all locks: a call may want one of them, and then the fork does not wait for it any more.
  static void BeforeFork() {
    timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += kPatienceSeconds;
    alone_ = pthread_rwlock_clockwrlock(&lock_, CLOCK_MONOTONIC, &until) == 0;
  }
  static void AfterFork(bool in_child) {
    if (in_child) {
      lock_ = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;
    } else if (alone_) {
      pthread_rwlock_unlock(&lock_);
    }
  }

 private:
  static constexpr time_t kPatienceSeconds = 10;
  static inline constinit pthread_rwlock_t lock_ =
      PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;
  static inline constinit bool alone_ = false;  // guarded by the locks of whoever forks

  const Guard guard_;
};

}  // namespace socksify

#endif  // SHIM_LIBRARY_CALL_H_
