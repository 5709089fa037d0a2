// What a signal does to a call that waits.
#ifndef SHIM_SIGNALS_H_
#define SHIM_SIGNALS_H_

#include <pthread.h>
#include <signal.h>

namespace socksify {

// While it lives no signal handler runs in this thread, and no cancellation happens: both could
// leave what it does half done, or want to do it themselves.
class SignalsBlocked {
 public:
  SignalsBlocked();
  ~SignalsBlocked();
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
  int cancel_state_;
};

// While it lives no cancellation happens: in calls that libc does not make cancellation points.
class CancellationDisabled {
 public:
  CancellationDisabled() { pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before_); }
  ~CancellationDisabled() { pthread_setcancelstate(before_, nullptr); }
  CancellationDisabled(const CancellationDisabled&) = delete;
  CancellationDisabled& operator=(const CancellationDisabled&) = delete;

 private:
  int before_;
};

// After poll(2) has said EINTR: would the kernel have gone on with the call that is being imitated?
// True when every handler of the application is installed with SA_RESTART. (poll itself never is
// restarted, and which signal came cannot be known.) Keeps errno.
bool SignalsRestartCalls();

}  // namespace socksify

#endif  // SHIM_SIGNALS_H_
