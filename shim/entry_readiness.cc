// poll, select and epoll. They step aside unless a descriptor they are asked about is a
// connection. While one is being connected its outcome is waited for in its place, since the
// kernel's socket is writable long before the negotiation has ended; afterwards the kernel's answer
// is confirmed.
#include <sys/select.h>

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>
#include <span>
#include <vector>

#include "shim/blocking_work.h"
#include "shim/cleanup.h"
#include "shim/clock.h"
#include "shim/entry.h"
#include "shim/guard.h"
#include "shim/listeners.h"
#include "shim/real_calls.h"
#include "shim/registrations.h"
#include "shim/user_memory.h"

namespace socksify {
namespace {

constexpr timespec kSoon = {0, 10'000'000};

// When a wait ends; no timeout is never.
class WaitEnd {
 public:
  explicit WaitEnd(const timespec* timeout)
      : forever_(timeout == nullptr),
        at_(forever_
                ? 0
                : MonotonicNow() +
                      std::clamp<int64_t>(timeout->tv_sec, 0, kLongest) * kNanosecondsPerSecond +
                      timeout->tv_nsec) {}

  const timespec* Left(timespec* left) const {
    if (forever_) return nullptr;
    const int64_t nanoseconds = std::max<int64_t>(0, at_ - MonotonicNow());
    *left = {nanoseconds / kNanosecondsPerSecond, nanoseconds % kNanosecondsPerSecond};
    return left;
  }

 private:
  static constexpr int64_t kLongest = 100LL * 365 * 24 * 60 * 60;  // seconds

  const bool forever_;
  const int64_t at_;
};

ConnectionRef FindConnecting(int fd) {
  ConnectionRef connection = DescriptorTable::Find(fd);
  if (connection && connection->phase() == Connection::Phase::kConnecting) return connection;
  return {};
}

bool AnyOurs(const pollfd* fds, nfds_t count) {
  if ((!Connection::AnyConnecting() && !Connection::AnySession()) || Guard::active()) return false;
  if (!IsReadable(fds, count * sizeof *fds)) return false;  // the kernel's to refuse
  for (nfds_t i = 0; i < count; ++i) {
    if (DescriptorTable::Get(fds[i].fd) == DescriptorTable::Mark::kConnection) return true;
  }
  return false;
}

constexpr short kReadable = POLLIN | POLLRDNORM;

// The first octets of a frame make the kernel's socket readable before plaintext can be delivered.
// Returns `revents` without what is not true yet.
short Confirmed(const pollfd& wait) {
  if ((wait.revents & (kReadable | POLLERR)) == 0) return wait.revents;
  ConnectionRef connection = DescriptorTable::Find(wait.fd);
  if (!connection) return wait.revents;
  // An error or a hang-up is the kernel's to tell, and looking closer would take SO_ERROR away.
  if ((wait.revents & (POLLERR | POLLHUP)) != 0) {
    return static_cast<short>(wait.revents & ~(connection->HidesErrors() ? POLLERR : 0));
  }
  if (connection->IsReadable(wait.fd)) return wait.revents;
  return static_cast<short>(wait.revents & ~kReadable);
}

// Others are the kernel's to refuse.
bool IsTime(const timespec* timeout) {
  return timeout == nullptr || (timeout->tv_sec >= 0 && timeout->tv_nsec >= 0 &&
                                timeout->tv_nsec < kNanosecondsPerSecond);
}

// Who connects to a listener of BIND and speaks elsewhere then is heard in that order without us;
// here the one comes by the agent. An FTP client takes it ill to hear of a connection before it is
// there. Tells of what has come to listeners in `fds` that were quiet; returns of how many.
int TellArrivals(pollfd* fds, nfds_t count) {
  const std::span<pollfd> all(fds, count);
  if (!Listeners::any() || std::ranges::none_of(all, [](const pollfd& wait) {
        return (wait.revents & kReadable) != 0 &&
               DescriptorTable::Get(wait.fd) == DescriptorTable::Mark::kConnection;
      })) {
    return 0;
  }
  int told = 0;
  for (pollfd& wait : all) {
    if (wait.revents != 0 || (wait.events & kReadable) == 0 || !Listeners::Settle(wait.fd))
      continue;
    if (real::poll(&wait, 1, 0) > 0) ++told;
  }
  return told;
}

// A thread that waits, and what it holds: given back for it when it never returns.
struct Waiting {
  std::vector<pollfd> polls;
  std::vector<ConnectionRef> connecting;  // keeps the outcome events alive
  int place = -1;
};

void WaiterGone(void* argument) {
  auto* waiting = static_cast<Waiting*>(argument);
  Connection::pollers.Leave(waiting->place);
  std::vector<pollfd>().swap(waiting->polls);
  std::vector<ConnectionRef>().swap(waiting->connecting);
}

int Wait(Waiting* waiting, const timespec* timeout, const sigset_t* mask) {
  int ready;
  waiting->place = Connection::pollers.Enter();
  {
    const Cleanup cleanup(&WaiterGone, waiting);
    ready = real::ppoll(waiting->polls.data(), waiting->polls.size(), timeout, mask);
  }
  Connection::pollers.Leave(waiting->place);
  return ready;
}

// ppoll(2) with outcomes in the place of the descriptors that are being connected.
int PollOurs(pollfd* fds, nfds_t count, const timespec* timeout, const sigset_t* mask) {
  ErrnoKeeper keeper;
  const WaitEnd end(timeout);
  for (;;) {
    Waiting waiting = {std::vector<pollfd>(fds, fds + count), std::vector<ConnectionRef>(count)};
    std::vector<pollfd>& waits = waiting.polls;
    std::vector<ConnectionRef>& connecting = waiting.connecting;
    bool no_event = false;
    for (nfds_t i = 0; i < count; ++i) {
      connecting[i] = FindConnecting(fds[i].fd);
      if (!connecting[i]) continue;
      waits[i] = {connecting[i]->OutcomeEvent(), POLLIN, 0};
      if (waits[i].fd < 0) no_event = true;  // no descriptor is left: look again soon
    }
    timespec left;
    const timespec* until = end.Left(&left);
    if (no_event && (until == nullptr || left.tv_sec != 0 || left.tv_nsec > kSoon.tv_nsec))
      until = &kSoon;
    const unsigned detachments = Connection::detachments();
    const int ready = Wait(&waiting, until, mask);
    if (ready < 0 && errno == EINTR && detachments != Connection::detachments()) continue;
    if (ready < 0) return -1;
    int told = 0;
    for (nfds_t i = 0; i < count; ++i) {
      fds[i].revents = connecting[i] ? short{0} : Confirmed(waits[i]);
      if (fds[i].revents != 0) ++told;
    }
    if (told != 0) return keeper.Return(told + TellArrivals(fds, count));
    if (ready == 0 && until != &kSoon) return keeper.Return(0);
  }
}

// libkrb5 waits for the KDC so.
int PollOthers(pollfd* fds, nfds_t count, int timeout_ms) {
  if (__builtin_expect(!Guard::active(), 1)) return real::poll(fds, count, timeout_ms);
  const NetworkWait wait(NetworkWait::For::kKdc);
  return real::poll(fds, count, timeout_ms);
}

// --- epoll ---

// epoll_wait(2) by `wait(timeout)`, until something is true.
template <typename Wait>
int EpollWait(int epoll, epoll_event* events, const timespec* timeout, Wait wait) {
  ErrnoKeeper keeper;
  const WaitEnd end(timeout);
  for (;;) {
    timespec left;
    const timespec* until = end.Left(&left);
    const int told = wait(until);
    if (told <= 0) return told;
    const int confirmed = Registrations::Confirm(epoll, events, told);
    if (confirmed != 0) return keeper.Return(confirmed);
    if (timeout != nullptr && timeout->tv_sec == 0 && timeout->tv_nsec == 0)
      return keeper.Return(0);
  }
}

// Rounded up, as poll(2) and epoll_wait(2) count; -1 is for ever.
int Milliseconds(const timespec* time) {
  if (time == nullptr) return -1;
  const int64_t milliseconds = time->tv_sec * 1000 + (time->tv_nsec + 999'999) / 1'000'000;
  return static_cast<int>(std::min<int64_t>(milliseconds, INT_MAX));
}

bool MayConfirm() { return Connection::AnySession() && !Guard::active(); }

// --- select as poll ---

constexpr short kReadEvents = POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR;
constexpr short kWriteEvents = POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR;
constexpr short kExceptEvents = POLLPRI;

// How many bits the kernel looks at: no more than it has room for descriptors, however large
// `count` is.
int Members(int count) {
  if (count <= FD_SETSIZE) return count;
  char text[512];
  const int status = real::open("/proc/self/status", O_RDONLY | O_CLOEXEC);
  const ssize_t size = status < 0 ? -1 : real::read(status, text, sizeof text - 1);
  if (status >= 0) (void)real::close(status);
  text[std::max<ssize_t>(size, 0)] = '\0';
  const char* line = strstr(text, "FDSize:");
  return line == nullptr ? FD_SETSIZE : std::min(count, atoi(line + strlen("FDSize:")));
}

bool Test(const fd_set* set, int fd) {
  return set != nullptr && (set->fds_bits[fd / NFDBITS] & (1L << (fd % NFDBITS))) != 0;
}
void Put(fd_set* set, int fd) { set->fds_bits[fd / NFDBITS] |= 1L << (fd % NFDBITS); }

bool AnyOurs(int count, const fd_set* reads, const fd_set* writes, const fd_set* excepts) {
  if ((!Connection::AnyConnecting() && !Connection::AnySession()) || Guard::active()) return false;
  count = Members(count);
  const size_t octets = static_cast<size_t>((count + NFDBITS - 1) / NFDBITS) * sizeof(fd_mask);
  for (const fd_set* set : {reads, writes, excepts}) {
    if (set != nullptr && !IsReadable(set, octets)) return false;  // the kernel's to refuse
  }
  for (int fd = 0; fd < count; ++fd) {
    if ((Test(reads, fd) || Test(writes, fd) || Test(excepts, fd)) &&
        DescriptorTable::Get(fd) == DescriptorTable::Mark::kConnection) {
      return true;
    }
  }
  return false;
}

int SelectOurs(int count, fd_set* reads, fd_set* writes, fd_set* excepts, const timespec* timeout,
               const sigset_t* mask) {
  count = Members(count);
  std::vector<pollfd> waits;
  for (int fd = 0; fd < count; ++fd) {
    short events = 0;
    if (Test(reads, fd)) events |= POLLIN | POLLRDNORM;
    if (Test(writes, fd)) events |= POLLOUT | POLLWRNORM;
    if (Test(excepts, fd)) events |= POLLPRI;
    if (events != 0) waits.push_back({fd, events, 0});
  }
  const int ready = PollOurs(waits.data(), waits.size(), timeout, mask);
  if (ready < 0) return -1;
  for (const pollfd& wait : waits) {
    if ((wait.revents & POLLNVAL) != 0) return FailWith(EBADF);
  }
  const size_t octets = static_cast<size_t>((count + NFDBITS - 1) / NFDBITS) * sizeof(fd_mask);
  struct {
    fd_set* set;
    short asked, told;
  } sets[] = {{reads, POLLIN, kReadEvents},
              {writes, POLLOUT, kWriteEvents},
              {excepts, POLLPRI, kExceptEvents}};
  int bits = 0;
  for (auto& [set, asked, told] : sets) {
    if (set == nullptr) continue;
    memset(set, 0, octets);
    for (const pollfd& wait : waits) {
      if ((wait.events & asked) == 0 || (wait.revents & told) == 0) continue;
      Put(set, wait.fd);
      ++bits;
    }
  }
  return bits;
}

}  // namespace
}  // namespace socksify

using namespace socksify;  // NOLINT: the functions below are libc's

// libc's header calls `fds` write-only, which it is not.
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

EXPORT int poll(pollfd* fds, nfds_t count, int timeout_ms) {
  if (__builtin_expect(!AnyOurs(fds, count), 1)) return PollOthers(fds, count, timeout_ms);
  const timespec timeout = {timeout_ms / 1000, timeout_ms % 1000 * 1'000'000L};
  return PollOurs(fds, count, timeout_ms < 0 ? nullptr : &timeout, nullptr);
}

EXPORT int ppoll(pollfd* fds, nfds_t count, const timespec* timeout, const sigset_t* mask) {
  if (__builtin_expect(!AnyOurs(fds, count), 1) || !IsTime(timeout))
    return real::ppoll(fds, count, timeout, mask);
  return PollOurs(fds, count, timeout, mask);
}

EXPORT int __poll_chk(pollfd* fds, nfds_t count, int timeout, size_t fds_size) {
  if (fds_size / sizeof *fds < count) __chk_fail();
  return poll(fds, count, timeout);
}

EXPORT int __ppoll_chk(pollfd* fds, nfds_t count, const timespec* timeout, const sigset_t* mask,
                       size_t fds_size) {
  if (fds_size / sizeof *fds < count) __chk_fail();
  return ppoll(fds, count, timeout, mask);
}

EXPORT int select(int count, fd_set* reads, fd_set* writes, fd_set* excepts, timeval* timeout) {
  if (__builtin_expect(!AnyOurs(count, reads, writes, excepts), 1) ||
      (timeout != nullptr && (timeout->tv_sec < 0 || timeout->tv_usec < 0))) {
    return real::select(count, reads, writes, excepts, timeout);
  }
  timespec time = {};
  if (timeout != nullptr) time = {timeout->tv_sec, timeout->tv_usec * 1000};
  const WaitEnd end(timeout != nullptr ? &time : nullptr);
  const int ready =
      SelectOurs(count, reads, writes, excepts, timeout != nullptr ? &time : nullptr, nullptr);
  timespec left;
  if (end.Left(&left) != nullptr) *timeout = {left.tv_sec, left.tv_nsec / 1000};  // as Linux does
  return ready;
}

EXPORT int pselect(int count, fd_set* reads, fd_set* writes, fd_set* excepts,
                   const timespec* timeout, const sigset_t* mask) {
  if (__builtin_expect(!AnyOurs(count, reads, writes, excepts), 1) || !IsTime(timeout)) {
    return real::pselect(count, reads, writes, excepts, timeout, mask);
  }
  return SelectOurs(count, reads, writes, excepts, timeout, mask);
}

EXPORT int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) noexcept {
  return Registrations::Control(epoll, operation, fd, event);
}

EXPORT int epoll_pwait2(int epoll, epoll_event* events, int count, const timespec* timeout,
                        const sigset_t* mask) {
  if (!MayConfirm()) return real::epoll_pwait2(epoll, events, count, timeout, mask);
  return EpollWait(epoll, events, timeout, [&](const timespec* left) {
    return real::epoll_pwait2(epoll, events, count, left, mask);
  });
}

EXPORT int epoll_pwait(int epoll, epoll_event* events, int count, int timeout_ms,
                       const sigset_t* mask) {
  if (!MayConfirm()) return real::epoll_pwait(epoll, events, count, timeout_ms, mask);
  const timespec timeout = {timeout_ms / 1000, timeout_ms % 1000 * 1'000'000L};
  return EpollWait(epoll, events, timeout_ms < 0 ? nullptr : &timeout, [&](const timespec* left) {
    return real::epoll_pwait(epoll, events, count, Milliseconds(left), mask);
  });
}

EXPORT int epoll_wait(int epoll, epoll_event* events, int count, int timeout_ms) {
  if (!MayConfirm()) return real::epoll_wait(epoll, events, count, timeout_ms);
  return epoll_pwait(epoll, events, count, timeout_ms, nullptr);
}
