#include "shim/tail_sender.h"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>

#include "shim/orphan.h"
#include "shim/own_descriptor.h"
#include "shim/real_calls.h"

namespace socksify {
namespace {

// Blocks until nothing that comes can keep the kernel from sending what it has. It does not tell
// when it has sent all.
void AwaitSent(const Connection::Tail& tail) {
  constexpr int kMilliseconds = 100;
  (void)real::shutdown(tail.fd, SHUT_WR);
  while (!tail.shared && HasUnsent(tail.fd) && LookForUnread(tail.fd) == Unread::kNothing) {
    pollfd wait = {tail.fd, POLLIN, 0};
    (void)real::poll(&wait, 1, kMilliseconds);
  }
}

// Blocks until the tail is out or cannot be. Then the socket may be closed.
void Send(const Connection::Tail& tail) {
  size_t sent = 0;
  while (sent < tail.octets.size()) {
    const Unread unread = tail.shared ? Unread::kEnd : LookForUnread(tail.fd);
    if (unread == Unread::kOctets) return;
    ssize_t part = real::send(tail.fd, tail.octets.data() + sent, tail.octets.size() - sent,
                              MSG_NOSIGNAL | MSG_DONTWAIT);
    if (part >= 0) {
      sent += static_cast<size_t>(part);
      continue;
    }
    if (errno != EAGAIN && errno != EINTR) return;
    pollfd wait = {tail.fd, OrphanEvents(unread), 0};
    (void)real::poll(&wait, 1, -1);
  }
  if (tail.closing) AwaitSent(tail);
}

// Closes every descriptor but those of the tails.
void CloseOthers(const std::vector<Connection::Tail>& tails) {
  unsigned start = 0;
  for (;;) {  // the next kept number, in ascending order
    unsigned next = UINT_MAX;
    for (const Connection::Tail& tail : tails) {
      const unsigned fd = static_cast<unsigned>(tail.fd);
      if (fd >= start && fd < next) next = fd;
    }
    if (next > start) (void)real::close_range(start, next - 1, 0);
    if (next == UINT_MAX) return;
    start = next + 1;
  }
}

long RawFork() { return real::syscall(SYS_fork); }  // no fork handler: the tails are this process's

}  // namespace

void SendTailsInNewProcess(const std::vector<Connection::Tail>& tails) {
  sigset_t all;
  sigfillset(&all);
  (void)sigprocmask(SIG_BLOCK, &all, nullptr);  // no handler of the application runs from here on
  const long middle = RawFork();
  if (middle != 0) {
    if (middle > 0) (void)real::syscall(SYS_wait4, middle, nullptr, 0, nullptr);
    for (const Connection::Tail& tail : tails) {
      if (middle < 0) Send(tail);
      OwnDescriptor::Close(tail.fd);
    }
    return;
  }
  (void)setsid();
  CloseOthers(tails);
  if (RawFork() == 0) {
    for (const Connection::Tail& tail : tails) Send(tail);
  }
  (void)real::syscall(SYS_exit_group, 0);
  __builtin_unreachable();
}

}  // namespace socksify
