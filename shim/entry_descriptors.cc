// Descriptors: what makes, duplicates and closes them keeps the table true, so that a number is
// never taken for a connection that it no longer is.
#include <fcntl.h>
#include <linux/close_range.h>
#include <netinet/in.h>

#include <cstdarg>
#include <cstdint>
#include <cstdio>

#include "shim/associations.h"
#include "shim/blocking_work.h"
#include "shim/detach.h"
#include "shim/entry.h"
#include "shim/listeners.h"
#include "shim/real_calls.h"
#include "shim/registrations.h"
#include "shim/service.h"

namespace socksify {
namespace {

using Mark = DescriptorTable::Mark;

// A number that libc has just made: whatever it meant before was closed behind the shim's back.
int Made(int fd) {
  if (fd >= 0 && DescriptorTable::Get(fd) != Mark::kNone && !InVforkChild()) {
    Registrations::DescriptorGone(fd);
    DescriptorTable::Set(fd, Mark::kNone);
    Associations::Forget(fd);
    Listeners::Forget(fd);
  }
  return fd;
}

int MadeSocket(int fd, int domain, int type) {
  PrepareForForks();
  Made(fd);
  const int kind = type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd >= 0 && (domain == AF_INET || domain == AF_INET6)) {
    if (kind == SOCK_STREAM) DescriptorTable::Set(fd, Mark::kFreshSocket);
    if (kind == SOCK_DGRAM) DescriptorTable::Set(fd, Mark::kDatagramSocket);
  }
  return fd;
}

int MadeEpoll(int fd) {
  PrepareForForks();
  Made(fd);
  if (fd >= 0) DescriptorTable::Set(fd, Mark::kEpoll);
  return fd;
}

bool IsOwn(int fd) { return DescriptorTable::Get(fd) == Mark::kOwn; }

// stdio has streams on these, which write past the shim; and a duplicate that vfork's child makes
// is out of the table's sight.
bool MayHoldSession(int fd) { return fd > STDERR_FILENO && !InVforkChild(); }

// Makes a duplicate of `fd` with `duplicate`, which returns its number or -1 and puts it on `to`,
// unless that is -1. The connection counts the new descriptor before it is there, so that another
// thread's close() does not end it in between.
template <typename Function>
int Duplicate(int fd, int to, Function duplicate) {
  if (IsOwn(fd)) return FailWith(EBADF);
  const Mark mark = DescriptorTable::Get(fd);
  if ((InVforkChild() || (to >= 0 && !MayHoldSession(to))) && !DetachDescriptor(fd)) return -1;
  // Two numbers will share the socket, and belong together whichever is connected.
  ConnectionRef connection = ConnectionToBe(fd);
  if (!connection || InVforkChild()) {
    const int copy = duplicate();
    if (copy >= 0 && !InVforkChild()) {
      Made(copy);
      if (mark == Mark::kEpoll) DescriptorTable::Set(copy, mark);
      if (mark == Mark::kDatagramSocket || mark == Mark::kDatagrams) Associations::Share(fd, copy);
    }
    return copy;
  }
  connection->GainDescriptor();
  const bool replaced = connection->replaced();
  int copy = duplicate();
  if (copy >= 0 &&
      !DescriptorTable::Is(fd, connection.get())) {  // closed meanwhile: a copy of what?
    (void)real::close(copy);
    copy = FailWith(EBADF);
  } else if (static_cast<unsigned>(copy) >= DescriptorTable::kNumbers && copy >= 0) {
    (void)real::close(copy);  // it would be out of sight
    copy = FailWith(EMFILE);
  } else if (copy >= 0) {
    DescriptorTable::Set(copy, connection);
    Listeners::Share(fd, copy);
    if (!MayHoldSession(copy) && !DetachDescriptor(copy)) {
      (void)close(copy);
      copy = FailWith(EOPNOTSUPP);
    } else if (!replaced && connection->replaced()) {
      connection->BringUpToDate(copy);
    }
  }
  Connection::LoseDescriptor(connection, -1);
  return copy;
}

// `fd` is about to be closed or replaced. Gone() follows when it has been.
void Goes(int fd) {
  const Mark mark = DescriptorTable::Get(fd);
  if (mark == Mark::kNone || InVforkChild()) return;
  ErrnoKeeper keeper;
  if (mark != Mark::kConnection) {
    Registrations::DescriptorGone(fd);
    DescriptorTable::Set(fd, Mark::kNone);
    if (mark == Mark::kDatagrams) Associations::Forget(fd);
    Listeners::Forget(fd);
  } else if (ConnectionRef connection = DescriptorTable::BeginClose(fd)) {
    Connection::LoseDescriptor(connection, fd);
    Registrations::DescriptorGone(fd);
    Listeners::Forget(fd);
  }
  (void)keeper.Return(0);
}

int Gone(int fd, int result) {
  if (DescriptorTable::Get(fd) == Mark::kConnection && !InVforkChild())
    DescriptorTable::EndClose(fd);
  return result;
}

int DuplicateOver(int fd, int to, int flags, bool with_flags) {
  if (IsOwn(to)) return FailWith(EBUSY);
  auto duplicate = [&] { return with_flags ? real::dup3(fd, to, flags) : real::dup2(fd, to); };
  if (fd == to || to < 0 || real::fcntl(fd, F_GETFD) < 0) return duplicate();  // nothing happens
  Goes(to);
  return Gone(to, Duplicate(fd, to, duplicate));
}

// Closes [first, last] but for the shim's own descriptors.
int CloseRange(unsigned first, unsigned last, unsigned flags) {
  const bool borrowed = InVforkChild();
  // libkrb5's files, open in the service's threads, are not the application's to close.
  if (!borrowed) BlockingWork::Quiesce(BlockingWork::Before::kClose);
  int result = 0;
  uint64_t start = first;  // a last of UINT32_MAX must not overflow it
  DescriptorTable::ForEach(first, last, [&](int fd, Mark mark) {
    if (mark != Mark::kOwn) {
      Goes(fd);
      return;
    }
    const unsigned own = static_cast<unsigned>(fd);
    if (own > start) {
      result |= real::close_range(static_cast<unsigned>(start), own - 1, static_cast<int>(flags));
    }
    start = uint64_t{own} + 1;
  });
  if (start <= last) {
    result |= real::close_range(static_cast<unsigned>(start), last, static_cast<int>(flags));
  }
  DescriptorTable::ForEach(first, last, [](int fd, Mark) { (void)Gone(fd, 0); });
  if (!borrowed) BlockingWork::Resume();
  return result;
}

}  // namespace
}  // namespace socksify

using namespace socksify;  // NOLINT: the functions below are libc's

EXPORT int socket(int domain, int type, int protocol) noexcept {
  // Which falls back to TCP where the other end has no more, and is readable whatever SO_RCVLOWAT.
  if (protocol == IPPROTO_MPTCP) protocol = IPPROTO_TCP;
  return MadeSocket(real::socket(domain, type, protocol), domain, type);
}

EXPORT int socketpair(int domain, int type, int protocol, int fds[2]) noexcept {
  const int result = real::socketpair(domain, type, protocol, fds);
  if (result == 0) Made(fds[0]), Made(fds[1]);
  return result;
}

EXPORT int accept(int fd, sockaddr* address, socklen_t* length) {
  return Made(Listeners::Accept(fd, address, length, 0));
}

EXPORT int accept4(int fd, sockaddr* address, socklen_t* length, int flags) {
  return Made(Listeners::Accept(fd, address, length, flags));
}

// The third or fourth argument is there only with O_CREAT or O_TMPFILE; reading it otherwise is
// harmless.
#define FORWARD_MODE(after)                      \
  va_list arguments;                             \
  va_start(arguments, after);                    \
  const mode_t mode = va_arg(arguments, mode_t); \
  va_end(arguments)

EXPORT int open(const char* path, int flags, ...) {
  FORWARD_MODE(flags);
  return Made(real::open(path, flags, mode));
}
EXPORT int open64(const char* path, int flags, ...) {
  FORWARD_MODE(flags);
  return Made(real::open64(path, flags, mode));
}
EXPORT int openat(int directory, const char* path, int flags, ...) {
  FORWARD_MODE(flags);
  return Made(real::openat(directory, path, flags, mode));
}
EXPORT int openat64(int directory, const char* path, int flags, ...) {
  FORWARD_MODE(flags);
  return Made(real::openat64(directory, path, flags, mode));
}
EXPORT int creat(const char* path, mode_t mode) { return Made(real::creat(path, mode)); }
EXPORT int creat64(const char* path, mode_t mode) { return Made(real::creat64(path, mode)); }
EXPORT int __open_2(const char* path, int flags) { return Made(real::__open_2(path, flags)); }
EXPORT int __open64_2(const char* path, int flags) { return Made(real::__open64_2(path, flags)); }
EXPORT int __openat_2(int directory, const char* path, int flags) {
  return Made(real::__openat_2(directory, path, flags));
}
EXPORT int __openat64_2(int directory, const char* path, int flags) {
  return Made(real::__openat64_2(directory, path, flags));
}

EXPORT int pipe(int fds[2]) noexcept {
  const int result = real::pipe(fds);
  if (result == 0) Made(fds[0]), Made(fds[1]);
  return result;
}

EXPORT int pipe2(int fds[2], int flags) noexcept {
  const int result = real::pipe2(fds, flags);
  if (result == 0) Made(fds[0]), Made(fds[1]);
  return result;
}

EXPORT int eventfd(unsigned count, int flags) noexcept { return Made(real::eventfd(count, flags)); }
EXPORT int epoll_create(int size) noexcept { return MadeEpoll(real::epoll_create(size)); }
EXPORT int epoll_create1(int flags) noexcept { return MadeEpoll(real::epoll_create1(flags)); }

EXPORT int dup(int fd) noexcept {
  return Duplicate(fd, -1, [&] { return real::dup(fd); });
}
EXPORT int dup2(int fd, int to) noexcept { return DuplicateOver(fd, to, 0, false); }
EXPORT int dup3(int fd, int to, int flags) noexcept { return DuplicateOver(fd, to, flags, true); }

EXPORT int fcntl(int fd, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  if (__builtin_expect(command == F_DUPFD || command == F_DUPFD_CLOEXEC, 0)) {
    return Duplicate(fd, -1, [&] { return real::fcntl(fd, command, argument); });
  }
  // vfork's child means it for the program that it executes, and may close what detaching needs
  // before it does (Python's subprocess).
  if (__builtin_expect(command == F_SETFD, 0) &&
      (reinterpret_cast<uintptr_t>(argument) & FD_CLOEXEC) == 0 && InVforkChild() &&
      !DetachDescriptor(fd)) {
    return -1;
  }
  return real::fcntl(fd, command, argument);
}

EXPORT int fcntl64(int fd, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  return fcntl(fd, command, argument);
}

EXPORT int close(int fd) {
  if (__builtin_expect(IsOwn(fd), 0)) return FailWith(EBADF);
  Goes(fd);
  return Gone(fd, real::close(fd));
}

EXPORT int close_range(unsigned first, unsigned last, int flags) noexcept {
  // With nobody to share them, unsharing descriptors says nothing; but the service must not lose
  // sight of them.
  constexpr int kUnshare = CLOSE_RANGE_UNSHARE;
  if ((flags & kUnshare) != 0 && !InVforkChild() && Service::IsOnlyThread()) flags &= ~kUnshare;
  if (first > last || (flags & ~kUnshare) != 0) {
    return real::close_range(first, last, flags);  // an error, or close-on-exec alone
  }
  ErrnoKeeper keeper;
  return keeper.Return(CloseRange(first, last, static_cast<unsigned>(flags)));
}

EXPORT void closefrom(int first) noexcept {
  ErrnoKeeper keeper;
  (void)keeper.Return(CloseRange(first < 0 ? 0 : static_cast<unsigned>(first), UINT32_MAX, 0) & 0);
}

EXPORT FILE* fdopen(int fd, const char* mode) noexcept {
  return DetachDescriptorForGood(fd) ? real::fdopen(fd, mode) : nullptr;
}

EXPORT int fclose(FILE* stream) {
  if (stream != nullptr) {
    ErrnoKeeper keeper;
    const int fd = fileno(stream);
    if (fd >= 0 && !IsOwn(fd)) {
      (void)fflush(stream);
      Goes(fd);
    }
    (void)keeper.Return(0);
    return Gone(fd, real::fclose(stream));
  }
  return real::fclose(stream);
}
