#include "shim/tail_sender.h"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <optional>
#include <utility>

#include "shim/orphan.h"
#include "shim/own_descriptor.h"
#include "shim/real_calls.h"
#include "shim/signals.h"
#include "shim/unseen_process.h"

namespace socksify {
namespace {

// What is under way with a tail.
struct Sending {
  const Connection::Tail* tail;
  size_t sent = 0;
  bool ended = false;  // the FIN is behind it
};

// A tail is done when it is out or cannot be, and then its socket may be closed; what it is to be
// polled for until then. Blocks never.
std::optional<short> Advance(Sending* sending) {
  const Connection::Tail& tail = *sending->tail;
  while (sending->sent < tail.octets.size()) {
    const Unread unread = tail.shared ? Unread::kEnd : LookForUnread(tail.fd);
    if (unread == Unread::kOctets) return std::nullopt;
    const ssize_t part =
        real::send(tail.fd, tail.octets.data() + sending->sent, tail.octets.size() - sending->sent,
                   MSG_NOSIGNAL | MSG_DONTWAIT);
    if (part >= 0) {
      sending->sent += static_cast<size_t>(part);
    } else if (errno == EAGAIN) {
      return OrphanEvents(unread);
    } else if (errno != EINTR) {
      return std::nullopt;
    }
  }
  if (!tail.closing) return std::nullopt;
  if (!std::exchange(sending->ended, true)) (void)real::shutdown(tail.fd, SHUT_WR);
  // What comes keeps the kernel from sending what it has.
  if (tail.shared || !HasUnsent(tail.fd) || LookForUnread(tail.fd) != Unread::kNothing) {
    return std::nullopt;
  }
  return POLLIN;
}

// What is under way with all of them, made while memory can still be had.
struct Work {
  explicit Work(const std::vector<Connection::Tail>& tails) {
    for (const Connection::Tail& tail : tails) {
      sendings.push_back({&tail});
      waits.push_back({tail.fd, 0, 0});
    }
  }
  std::vector<Sending> sendings;
  std::vector<pollfd> waits;  // negative descriptors: done
};

// Blocks until all tails are done, none of them waiting for another. Closes each when it is.
void SendAll(Work* work, void (*close)(int)) {
  constexpr int kMilliseconds = 100;  // the kernel does not tell when it has sent all
  for (;;) {
    size_t left = 0;
    bool ended = false;
    for (size_t i = 0; i < work->waits.size(); ++i) {
      pollfd& wait = work->waits[i];
      if (wait.fd < 0) continue;
      if (const auto events = Advance(&work->sendings[i])) {
        wait.events = *events;
        ended |= work->sendings[i].ended;
        ++left;
      } else {
        close(std::exchange(wait.fd, -1));
      }
    }
    if (left == 0) return;
    (void)real::poll(work->waits.data(), work->waits.size(), ended ? kMilliseconds : -1);
  }
}

void CloseRaw(int fd) { (void)real::close(fd); }  // takes no lock

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

}  // namespace

void SendTailsInNewProcess(const std::vector<Connection::Tail>& tails) {
  Work work(tails);
  const SignalsBlocked no_handler;  // of the application's; in the new process for good
  const bool adopts = AdoptsOrphans();
  const long middle = ForkUnseen();
  if (middle < 0) return SendAll(&work, &OwnDescriptor::Close);
  if (middle > 0) {
    if (!adopts) AwaitUnseen(middle);
    for (const Connection::Tail& tail : tails) OwnDescriptor::Close(tail.fd);
    return;
  }
  (void)setsid();
  (void)real::syscall(SYS_chdir, "/");
  CloseOthers(tails);
  // Its child is nobody's once it has ended, but the application's where that adopts orphans.
  if (adopts || real::syscall(SYS_fork) <= 0) SendAll(&work, &CloseRaw);
  (void)real::syscall(SYS_exit_group, 0);
  __builtin_unreachable();
}

}  // namespace socksify
