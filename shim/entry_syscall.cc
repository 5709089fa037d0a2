// syscall(2): programs that call the kernel by number meet the same functions as those that call
// libc.
#include <linux/aio_abi.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include <cstdarg>

#include "shim/detach.h"
#include "shim/entry.h"
#include "shim/guard.h"
#include "shim/real_calls.h"
#include "shim/report.h"
#include "shim/service.h"
#include "shim/signals.h"
#include "shim/user_memory.h"

using namespace socksify;  // NOLINT: the function below is libc's

namespace {

template <typename T>
T As(long argument) {
  if constexpr (std::is_pointer_v<T>) {
    return reinterpret_cast<T>(argument);
  } else {
    return static_cast<T>(argument);
  }
}

// The call with its arguments as the function's parameters have them.
template <typename Result, typename... Parameters, size_t... Index>
long CallWith(Result (*function)(Parameters...), const long* arguments,
              std::index_sequence<Index...>) {
  return static_cast<long>(function(As<Parameters>(arguments[Index])...));
}

template <typename Result, typename... Parameters>
long Call(Result (*function)(Parameters...), const long* arguments) {
  return CallWith(function, arguments, std::index_sequence_for<Parameters...>());
}

// The sixth argument of pselect6 is a pointer to the mask and its size.
long Pselect6(const long* arguments) {
  struct Mask {
    const sigset_t* set;
    size_t size;
  };
  const auto* mask = As<const Mask*>(arguments[5]);
  return pselect(As<int>(arguments[0]), As<fd_set*>(arguments[1]), As<fd_set*>(arguments[2]),
                 As<fd_set*>(arguments[3]), As<const timespec*>(arguments[4]),
                 mask != nullptr ? mask->set : nullptr);
}

long Ppoll(const long* arguments) {
  return ppoll(As<pollfd*>(arguments[0]), As<nfds_t>(arguments[1]),
               As<const timespec*>(arguments[2]), As<const sigset_t*>(arguments[3]));
}

long Exit(const long* arguments) { _exit(As<int>(arguments[0])); }

// What io_uring does would not pass the shim; programs have another way where a kernel has no
// io_uring.
long RefuseIoUring() {
  ReportOnce("io_uring was refused to the program: its operations would not be wrapped",
             LogLevel::kInfo);
  return FailWith(ENOSYS);
}

// Kernel AIO: the kernel reads and writes.
long SubmitAio(const long* arguments) {
  auto* const* blocks = As<iocb* const*>(arguments[2]);
  for (long i = 0; i < arguments[1]; ++i) {
    if (!IsReadable(blocks + i, sizeof(void*)) || !IsReadable(blocks[i], sizeof(iocb))) break;
    if (!DetachDescriptor(static_cast<int>(blocks[i]->aio_fildes))) return -1;
  }
  return real::syscall(SYS_io_submit, arguments[0], arguments[1], arguments[2]);
}

// As libaio and liburing tell of errors.
int Negative(long result) { return static_cast<int>(result < 0 ? -errno : result); }

}  // namespace

// libaio and liburing call the kernel by instructions of their own.
EXPORT int io_submit(void* context, long count, iocb** blocks) noexcept {
  const ErrnoKeeper keeper;
  const long arguments[] = {reinterpret_cast<long>(context), count, reinterpret_cast<long>(blocks)};
  const int result = Negative(SubmitAio(arguments));
  (void)keeper.Return(0);
  return result;
}
EXPORT int io_uring_queue_init(unsigned, void*, unsigned) noexcept {
  return Negative(RefuseIoUring());
}
EXPORT int io_uring_queue_init_params(unsigned, void*, void*) noexcept {
  return Negative(RefuseIoUring());
}
EXPORT int io_uring_queue_init_mem(unsigned, void*, void*, void*, size_t) noexcept {
  return Negative(RefuseIoUring());
}
EXPORT int io_uring_setup(unsigned, void*) noexcept { return Negative(RefuseIoUring()); }

EXPORT long syscall(long number, ...) noexcept {
  va_list list;
  va_start(list, number);
  long arguments[6];
  for (long& argument : arguments) argument = va_arg(list, long);
  va_end(list);
  if (!Guard::active()) {
    const CancellationDisabled no_cancellation;  // syscall(2) is no cancellation point
    switch (number) {
#define SERVE_AS(call) \
  case SYS_##call:     \
    return Call(&::call, arguments)
      SERVE_AS(read);
      SERVE_AS(readv);
      SERVE_AS(recvfrom);
      SERVE_AS(recvmsg);
      SERVE_AS(recvmmsg);
      SERVE_AS(write);
      SERVE_AS(writev);
      SERVE_AS(sendto);
      SERVE_AS(sendmsg);
      SERVE_AS(sendmmsg);
      SERVE_AS(sendfile);
      SERVE_AS(splice);
      SERVE_AS(connect);
      SERVE_AS(bind);
      SERVE_AS(listen);
      SERVE_AS(shutdown);
      SERVE_AS(getpeername);
      SERVE_AS(getsockname);
      SERVE_AS(getsockopt);
      SERVE_AS(setsockopt);
      SERVE_AS(socket);
      SERVE_AS(socketpair);
      SERVE_AS(accept);
      SERVE_AS(accept4);
      SERVE_AS(dup);
      SERVE_AS(dup2);
      SERVE_AS(dup3);
      SERVE_AS(close);
      SERVE_AS(close_range);
      SERVE_AS(poll);
      SERVE_AS(select);
      SERVE_AS(epoll_ctl);
      SERVE_AS(epoll_wait);
      SERVE_AS(execve);
      SERVE_AS(execveat);
      SERVE_AS(unshare);
      SERVE_AS(setns);
#undef SERVE_AS
      case SYS_fcntl:
        return fcntl(As<int>(arguments[0]), As<int>(arguments[1]), arguments[2]);
      case SYS_ioctl:
        return ioctl(As<int>(arguments[0]), As<unsigned long>(arguments[1]), arguments[2]);
      case SYS_preadv2:  // the offset comes in two halves, of which 64 bits need the first
        return preadv2(As<int>(arguments[0]), As<const iovec*>(arguments[1]), As<int>(arguments[2]),
                       arguments[3], As<int>(arguments[5]));
      case SYS_pwritev2:
        return pwritev2(As<int>(arguments[0]), As<const iovec*>(arguments[1]),
                        As<int>(arguments[2]), arguments[3], As<int>(arguments[5]));
      case SYS_ppoll:
        return Ppoll(arguments);
      case SYS_pselect6:
        return Pselect6(arguments);
      case SYS_exit_group:
        return Exit(arguments);
      case SYS_prctl:
        return prctl(As<int>(arguments[0]), arguments[1], arguments[2], arguments[3], arguments[4]);
      case SYS_seccomp:
        Service::Retire();
        break;
      case SYS_io_submit:
        return SubmitAio(arguments);
      case SYS_io_uring_setup:
        return RefuseIoUring();
      default:
        break;
    }
  }
  return real::syscall(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4],
                       arguments[5]);
}
