// libc's own calls, past the shim: real::read(fd, buffer, count). Each is bound when it is first
// used, so that a program that makes no such call pays nothing. Any thread, signal handlers
// included.
#ifndef SHIM_REAL_CALLS_H_
#define SHIM_REAL_CALLS_H_

#include <aio.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <resolv.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include <wordexp.h>

#include <atomic>

#include "shim/fortified.h"

namespace socksify::real {

// The next definition of `name` behind the shim's. Ends the process when there is none: going on
// would mean to go unwrapped or to jump to nowhere.
void* Bind(const char* name);

template <typename Function>
class Call {
 public:
  constexpr explicit Call(const char* name) : name_(name) {}

  Function get() {
    void* bound = bound_.load(std::memory_order_acquire);
    if (__builtin_expect(bound == nullptr, 0)) {
      bound = Bind(name_);
      bound_.store(bound, std::memory_order_release);
    }
    return reinterpret_cast<Function>(bound);
  }

  template <typename... Arguments>
  auto operator()(Arguments... arguments) {
    return get()(arguments...);
  }

 private:
  std::atomic<void*> bound_{nullptr};
  const char* const name_;
};

// res_* are macros for versioned names; the plain names are the ones exported.
#undef res_query
#undef res_search
#undef res_send
#undef res_querydomain
#undef res_nquery
#undef res_nsearch
#undef res_nsend
#undef res_nquerydomain

// clang-format off
#define CALL(name) inline constinit Call<decltype(&::name)> name{#name};
#define CALL_CHK(name) CALL(name)
#define ALIAS(name)
#include "shim/calls.def"
#undef CALL
#undef CALL_CHK
#undef ALIAS
// clang-format on

}  // namespace socksify::real

#endif  // SHIM_REAL_CALLS_H_
