// What a thread gives back when it never returns from a call that waits: it is cancelled, or a
// signal handler jumps out (siglongjmp). glibc's first kind of cleanup handler, which is still
// there for old programs, since of the other longjmp knows nothing: what that has left on the stack
// would crash the thread when it ends.
#ifndef SHIM_CLEANUP_H_
#define SHIM_CLEANUP_H_

#include <pthread.h>

extern "C" void _pthread_cleanup_push(_pthread_cleanup_buffer*, void (*)(void*), void*) noexcept;
extern "C" void _pthread_cleanup_pop(_pthread_cleanup_buffer*, int) noexcept;

namespace socksify {

class Cleanup {
 public:
  Cleanup(void (*give_back)(void*), void* argument) {
    _pthread_cleanup_push(&buffer_, give_back, argument);
  }
  ~Cleanup() { _pthread_cleanup_pop(&buffer_, 0); }
  Cleanup(const Cleanup&) = delete;
  Cleanup& operator=(const Cleanup&) = delete;

 private:
  _pthread_cleanup_buffer buffer_;
};

}  // namespace socksify

#endif  // SHIM_CLEANUP_H_
