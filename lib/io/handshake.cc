#include "lib/io/handshake.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

namespace socksify {

const SocketCalls kLibcSocketCalls = {&::recv, &::send, &::poll};

int MillisecondsUntil(Deadline deadline) {
  const auto now = Deadline::clock::now();
  if (deadline <= now) return 0;
  auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - now).count();
  return static_cast<int>(std::min<int64_t>(left, INT_MAX));
}

HandshakeStep Handshake::Step() {
  for (;;) {
    if (!error_.ok()) return HandshakeStep::kEnded;
    if (!engine_.output().empty()) {
      if (!SendOutput()) return HandshakeStep::kWantWrite;
      continue;
    }
    if (engine_.state() != ClientEngine::State::kNegotiating) return HandshakeStep::kEnded;
    if (!ReadWanted()) return HandshakeStep::kWantRead;
  }
}

bool Handshake::SendOutput() {
  ByteView output = engine_.output();
  ssize_t sent = calls_.send(fd_, output.data(), output.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent >= 0) {
    engine_.ConsumeOutput(static_cast<size_t>(sent));
    return true;
  }
  if (errno == EINTR) return true;
  if (errno == EAGAIN || errno == EWOULDBLOCK) return false;
  const int why = errno;
  // The server may have said why before it closed: that is the better error.
  engine_.ConsumeOutput(output.size());
  if (engine_.state() == ClientEngine::State::kNegotiating && ReadWanted()) return true;
  errno = why;
  FailWithErrno("sending to the server failed");
  return true;
}

bool Handshake::ReadWanted() {
  uint8_t octets[4096];
  // Look first, take later: what follows the negotiation stays in the kernel, and its last octet.
  const ssize_t came = calls_.recv(fd_, octets, sizeof octets, MSG_PEEK | MSG_DONTWAIT);
  if (came == 0) {
    engine_.FeedEof();
    return true;
  }
  if (came < 0) {
    if (errno == EINTR) return true;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return false;
    FailWithErrno("reading from the server failed");
    return true;
  }
  ByteView rest(octets, static_cast<size_t>(came));
  while (!rest.empty() && engine_.state() == ClientEngine::State::kNegotiating &&
         engine_.output().empty()) {
    const size_t wanted = std::min(engine_.WantedOctets(), rest.size());
    engine_.Feed(rest.first(wanted));
    rest = rest.subspan(wanted);
  }
  unread_ = engine_.state() == ClientEngine::State::kEstablished ? 1 : 0;
  const size_t spent = static_cast<size_t>(came) - rest.size() - unread_;
  if (spent != 0) (void)calls_.recv(fd_, octets, spent, MSG_TRUNC | MSG_DONTWAIT);
  return true;
}

void Handshake::FailWithErrno(const char* what) {
  error_ = {Errc::kServerClosed, std::string(what) + ": " + strerror(errno)};
}

Status Handshake::Run(Deadline deadline) {
  for (;;) {
    HandshakeStep step = Step();
    if (step == HandshakeStep::kEnded) return error();
    pollfd wait = {fd_, static_cast<short>(step == HandshakeStep::kWantRead ? POLLIN : POLLOUT), 0};
    int ready = calls_.poll(&wait, 1, MillisecondsUntil(deadline));
    if (ready == 0) {
      error_ = {Errc::kTimeout, "the negotiation took too long; see --timeout"};
      return error_;
    }
    if (ready < 0 && errno != EINTR) {
      FailWithErrno("waiting for the server failed");
      return error_;
    }
  }
}

}  // namespace socksify
