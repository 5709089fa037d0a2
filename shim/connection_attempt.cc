// A connection being made: the outcome of the service's attempt, and who waits for it.
#include <poll.h>
#include <sys/eventfd.h>

#include <cerrno>

#include "shim/connection.h"
#include "shim/own_descriptor.h"
#include "shim/real_calls.h"
#include "shim/registrations.h"
#include "shim/report.h"
#include "shim/service.h"
#include "shim/signals.h"

namespace socksify {

bool Connection::Begin(const Address& destination, const SocketAddress& peer) {
  MutexLock lock(state_);
  if (phase() != Phase::kIdle && phase() != Phase::kFailed) return false;
  destination_ = destination;
  peer_ = peer;
  error_ = 0;
  if (outcome_event_ >= 0) OwnDescriptor::Close(std::exchange(outcome_event_, -1));
  connecting_.fetch_add(1);
  generation_.fetch_add(1);
  phase_.store(Phase::kConnecting, std::memory_order_release);
  return true;
}

void Connection::Dissolve(int fd) {
  Registrations::Release(this, [&] {
    MutexLock lock(state_);
    if (phase_.exchange(Phase::kIdle) == Phase::kConnecting) connecting_.fetch_sub(1);
    if (framed_.exchange(false)) sessions_.fetch_sub(1);
    error_ = 0;
    options_.GiveBack(fd);
    receiver_.Reset(fd);
    sender_.Reset();
    layer_.reset();
    closes_ = false;
    holding_ = Holding::kCounted;
    // What comes next is another session, of this process alone.
    share_.Reset();
    home_ = -1;
    replacing_ = false;
    stand_in_ = 0;
    TellOutcome();
    return true;
  });
  Service::Wake();
}

void Connection::TellOutcome() {
  pthread_cond_broadcast(&outcome_);
  if (outcome_event_ >= 0) (void)eventfd_write(outcome_event_, 1);
}

int Connection::TakeError(int fd) {
  const int error = error_.exchange(0);
  int stale;  // what dissolving the TCP connection has left behind
  socklen_t size = sizeof stale;
  if (error != 0) (void)real::getsockopt(fd, SOL_SOCKET, SO_ERROR, &stale, &size);
  return error;
}

void Connection::Succeed(int fd, Attempt& attempt, uint32_t generation) {
  MutexLock lock(state_);
  if (!IsConnecting(generation)) return;
  layer_ = attempt.engine().TakeLayer();
  if (layer_->framed()) {
    options_.MakeRoomForFrames(fd);
    sender_.Start(layer_.get());
    receiver_.Start(layer_.get(), attempt.engine().TakeEarlyData(), attempt.unread(), fd);
  } else {
    uint8_t spent;
    if (attempt.unread() != 0) (void)real::recv(fd, &spent, 1, MSG_DONTWAIT);
    options_.GiveBack(fd);
  }
  framed_.store(layer_->framed(), std::memory_order_release);
  if (framed()) sessions_.fetch_add(1);
  closes_ = layer_->closes();
  if (closes_) any_closes_ = true;
  success_untold_ = true;
  outcome_phase_ = Phase::kEstablished;
}

void Connection::Fail(int fd, const Status& error, const ServerEndpoint& server,
                      uint32_t generation) {
  MutexLock lock(state_);
  if (!IsConnecting(generation)) return;
  ReportFailure(error, server, destination_);
  if (framed_.exchange(false)) {  // it was to be detached, which failed
    sessions_.fetch_sub(1);
    receiver_.Reset(fd);
    sender_.Reset();
    layer_.reset();
  }
  // The socket is as after a failed connect(2): not connected, ready for another; and as long as
  // the application has not been told, poll says that there is something to learn.
  sockaddr nowhere = {};
  nowhere.sa_family = AF_UNSPEC;
  (void)real::connect(fd, &nowhere, sizeof nowhere);
  (void)real::shutdown(fd, SHUT_RDWR);
  options_.GiveBack(fd);
  error_ = ConnectErrno(error.code());
  outcome_phase_ = Phase::kFailed;
}

void Connection::Conclude(uint32_t generation) {
  if (!IsConnecting(generation)) return;  // it has ended, and its registrations with it
  Registrations::Release(this, [&] {
    MutexLock lock(state_);
    if (!IsConnecting(generation)) return false;
    phase_.store(outcome_phase_, std::memory_order_release);
    connecting_.fetch_sub(1);
    TellOutcome();
    return true;
  });
}

bool Connection::AwaitOutcome(int timeout_ms) {
  while (phase() == Phase::kConnecting) {
    const int event = OutcomeEvent();
    if (event < 0) {  // no descriptor is left: then signals do not interrupt
      MutexLock lock(state_);
      while (phase() == Phase::kConnecting) pthread_cond_wait(&outcome_, state_.native());
      return true;
    }
    pollfd wait = {event, POLLIN, 0};
    const int ready = real::poll(&wait, 1, timeout_ms);
    if (ready == 0) errno = EINPROGRESS;
    if (ready == 0 || (ready < 0 && !(errno == EINTR && SignalsRestartCalls()))) return false;
  }
  return true;
}

int Connection::OutcomeEvent() {
  MutexLock lock(state_);
  if (outcome_event_ < 0) {
    outcome_event_ = OwnDescriptor::Adopt(real::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (outcome_event_ >= 0 && phase() != Phase::kConnecting)
      (void)eventfd_write(outcome_event_, 1);
  }
  return outcome_event_;
}

}  // namespace socksify
