// A session leaves this process: what the shim cannot follow goes on with a plain socket in the
// descriptor's place, and the relay process with the session.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

#include "lib/io/session_state.h"
#include "shim/connection.h"
#include "shim/descriptor_table.h"
#include "shim/home.h"
#include "shim/own_descriptor.h"
#include "shim/real_calls.h"
#include "shim/registrations.h"
#include "shim/relay_process.h"
#include "shim/report.h"
#include "shim/signals.h"
#include "shim/stand_in.h"
#include "shim/stand_in_names.h"

namespace socksify {
namespace {

// One at a time asks a home, so that one answer serves all threads. Held while the home answers.
Mutex g_asking;

// Whoever has the other end of what `fd` is closed with sees a reset.
void ResetOnClose(int fd) {
  constexpr linger kAtOnce = {1, 0};
  (void)real::setsockopt(fd, SOL_SOCKET, SO_LINGER, &kAtOnce, sizeof kAtOnce);
}

bool IsSameFile(int one, int other) {
  struct stat first, second;
  return fstat(one, &first) == 0 && fstat(other, &second) == 0 && first.st_dev == second.st_dev &&
         first.st_ino == second.st_ino;
}

// What could be read of the session is to be read of the stand-in from the first moment on. What
// does not fit is left to the relay.
void GiveAtOnce(int relay, Bytes* plaintext) {
  const ssize_t given =
      real::send(relay, plaintext->data(), plaintext->size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (given <= 0) return;
  Wipe({plaintext->data(), static_cast<size_t>(given)});
  plaintext->erase(plaintext->begin(), plaintext->begin() + given);
}

// Of a socket; empty when it is none.
SocketAddress NameOf(int fd) {
  SocketAddress name;
  name.length = sizeof name.storage;
  auto* address = reinterpret_cast<sockaddr*>(&name.storage);
  if (real::getsockname(fd, address, &name.length) != 0) name.length = 0;
  return name;
}

}  // namespace

void Connection::ForgetAskers() { g_asking.Reinitialise(); }

int Connection::DuplicateDescriptor() const {
  int copy = -1;
  DescriptorTable::ForEach(0, UINT32_MAX, [&](int fd, DescriptorTable::Mark) {
    if (copy >= 0 || !DescriptorTable::Is(fd, this)) return;
    copy = real::fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (copy >= 0 && !DescriptorTable::Is(fd, this)) (void)real::close(std::exchange(copy, -1));
  });
  if (copy < 0) errno = EBADF;
  return copy;
}

void Connection::BringUpToDate(int fd) {
  MutexLock lock(state_);
  if (!DescriptorTable::Is(fd, this) || IsStandIn(fd)) return;
  DescriptorTable::ForEach(0, UINT32_MAX, [&](int other, DescriptorTable::Mark) {
    if (!DescriptorTable::Is(other, this) || !IsStandIn(other)) return;
    const int flags = real::fcntl(fd, F_GETFD);
    (void)real::dup3(other, fd, (flags & FD_CLOEXEC) != 0 ? O_CLOEXEC : 0);
  });
}

bool Connection::IsStandIn(int fd) const {
  struct stat status;
  return fstat(fd, &status) == 0 && status.st_ino == stand_in_;
}

bool Connection::Detach() { return Settle(true); }

void Connection::AskHome() { (void)Settle(false); }

// Has the session's home, if it is away, put a stand-in in its place; without that, and if it is to
// leave, `hand_over`, does so itself.
bool Connection::Settle(bool hand_over) {
  if (!framed()) return true;
  const SignalsBlocked signals;
  const DescriptorHeadroom headroom;
  const int old = DuplicateDescriptor();
  if (old < 0) return true;  // closed meanwhile
  bool detached = !is_away() || FetchStandIn(old);
  if (detached && framed() && hand_over) {
    // Without a word if it is another process's: few programs that inherit it mean to use it.
    detached = share_.Own(ForkShare::kReceive) && share_.Own(ForkShare::kSend);
    if (!detached) errno = EIO;
    detached = detached && HandOver(old);
  }
  const int error = errno;
  (void)real::close(old);
  if (!framed()) waiters_.Interrupt(), pollers.Interrupt();
  errno = error;
  return detached || !framed();
}

// Asks the process that has the session. False when that is there and cannot detach it.
bool Connection::FetchStandIn(int old) {
  MutexLock lock(g_asking);
  if (!is_away()) return true;  // another thread has asked
  int stand_in = -1;
  switch (Home::Ask(home_, this, generation(), &stand_in)) {
    case Home::Answer::kStandIn:
      Registrations::Move(this, [&] { (void)Replace({stand_in, -1}, old, nullptr); });
      (void)real::close(stand_in);
      break;
    case Home::Answer::kGone:
      break;  // it is this process's now, unless the other has used it since the fork
    case Home::Answer::kRefused:
      errno = EOPNOTSUPP;
      return false;
  }
  home_ = -1;
  return true;
}

bool Connection::HandOver(int old) {
  StandIn stand_in;
  if (!RelayProcess::Start()) return errno = EOPNOTSUPP, false;
  const RelayProcess::Channel channel;
  if (!channel.ok() || !MakeStandIn(old, &stand_in)) {
    const int error = errno;
    ReportOnce(std::string("a wrapped connection cannot be made a plain one: ") + strerror(error));
    return errno = error, false;
  }
  NoteStandIn(stand_in.application, {NameOf(old), peer_});
  SessionState state;
  bool replaced = false;
  receiver_.LetGo(true);           // how it ends is for the relay to say
  (void)receiver_.Available(old);  // opens what has come
  receiver_.LetGo(false);
  Registrations::Move(this, [&] { replaced = Replace(stand_in, old, &state); });
  if (replaced) {
    // Should the session get lost on its way, or with the relay, no end of it looks like an orderly
    // one; the relay takes this back when both sides have closed.
    ResetOnClose(old);
    ResetOnClose(stand_in.relay);
    Bytes octets = EncodeSessionState(state);
    if (!RelayProcess::Take(old, stand_in.relay, channel, octets)) {
      ReportOnce(std::string("a wrapped connection is lost, the relay cannot have it: ") +
                 strerror(errno));
    }
    Wipe(octets);
    Wipe(state.layer);
    Wipe(state.plaintext);
  }
  OwnDescriptor::Close(stand_in.relay);
  OwnDescriptor::Close(stand_in.application);
  if (replaced || !framed()) return true;
  ReportOnce("a wrapped connection cannot be made a plain one: its keys cannot be handed over");
  return errno = EOPNOTSUPP, false;
}

// `state`: what the session needs elsewhere, if it is here. False when it cannot leave, or another
// thread was faster.
bool Connection::Replace(const StandIn& ends, int old, SessionState* state) {
  const int stand_in = ends.application;
  MutexLock state_lock(state_), receiving(receiver_.mutex()), sending(sender_.mutex());
  if (!framed()) return false;
  if (state != nullptr) {
    auto layer = layer_->Export();
    if (!layer.ok()) return false;
    state->layer = std::move(*layer);
  }
  detached_name_ = NameOf(old);
  if (state == nullptr) {
    options_.Forget();  // the other process has moved them
  } else {
    options_.MoveTo(stand_in, old);
    receiver_.HandOver(old, state);
    if (state->receiving_ended) (void)real::shutdown(stand_in, SHUT_RD);
    GiveAtOnce(ends.relay, &state->plaintext);
    sender_.HandOver(state);
    if (state->sending_ended) (void)real::shutdown(stand_in, SHUT_WR);
  }
  int status = 0;
  if (state != nullptr) {
    CopySettings(old, stand_in);
    status = real::fcntl(old, F_GETFL);
  }
  SwapDescriptors(stand_in, old);
  // O_NONBLOCK may have been set or cleared until the last descriptor was replaced.
  if (state != nullptr && real::fcntl(old, F_GETFL) != status) CopySettings(old, stand_in);
  // Whoever reads this from now on means the stand-in.
  framed_.store(false, std::memory_order_release);
  sessions_.fetch_sub(1);
  layer_.reset();
  return true;
}

// Each of the connection's descriptors becomes the stand-in, and stays close-on-exec if it was. A
// number that is being closed meanwhile is seen, since that waits for state_.
void Connection::SwapDescriptors(int stand_in, int old) {
  struct stat status = {};
  (void)fstat(stand_in, &status);
  replacing_ = true;
  stand_in_ = status.st_ino;  // first: a duplicate that is not in the table yet is the duplicator's
  DescriptorTable::ForEach(0, UINT32_MAX, [&](int fd, DescriptorTable::Mark) {
    if (!DescriptorTable::Is(fd, this) || !IsSameFile(fd, old)) return;
    const int flags = real::fcntl(fd, F_GETFD);
    (void)real::dup3(stand_in, fd, (flags & FD_CLOEXEC) != 0 ? O_CLOEXEC : 0);
  });
  if (const int followed = followed_; followed >= 0) {
    (void)real::dup3(stand_in, followed, O_CLOEXEC);
  }
  detachments_.fetch_add(1);
}

}  // namespace socksify
