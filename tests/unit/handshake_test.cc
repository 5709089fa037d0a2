// The handshake driver over real TCP sockets, and over calls that err when a test wants it.
#include "lib/io/handshake.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <string>
#include <thread>

namespace socksify {
namespace {

using std::chrono::milliseconds;

const Bytes kChoice = {5, 0};
const Bytes kSuccess = {5, 0, 0, 1, 192, 0, 2, 1, 0x12, 0x34};
constexpr size_t kGreetingSize = 3;
constexpr size_t kRequestSize = 11;

Deadline In(int ms) { return Deadline::clock::now() + milliseconds(ms); }

// A connected pair on the loopback, and an engine for its client's end.
class HandshakeTest : public ::testing::Test {
 protected:
  HandshakeTest() {
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(listener, generic, length), 0);
    EXPECT_EQ(listen(listener, 1), 0);
    EXPECT_EQ(getsockname(listener, generic, &length), 0);
    client_ = socket(AF_INET, SOCK_STREAM, 0);
    EXPECT_EQ(connect(client_, generic, length), 0);
    server_ = accept(listener, nullptr, nullptr);
    EXPECT_GE(server_, 0);
    close(listener);

    config_.methods = {Method::kNone};
    engine_ = ClientEngine::New(config_, {"localhost", 1080},
                                Request{Command::kConnect, Address::Name("host", 80)});
    EXPECT_TRUE(engine_->Prepare().ok());
    g_refuse_send = g_interrupt = 0;
    g_send_most = SIZE_MAX;
  }
  ~HandshakeTest() override {
    close(client_);
    CloseServer();
  }

  void CloseServer() {
    if (server_ >= 0) close(server_);
    server_ = -1;
  }
  void ResetFromServer() {
    const linger now = {1, 0};
    setsockopt(server_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    CloseServer();
  }
  void Say(const Bytes& octets) {
    EXPECT_EQ(send(server_, octets.data(), octets.size(), 0), static_cast<ssize_t>(octets.size()));
    Settle(octets.empty() ? 0 : 1);
  }
  void Settle(size_t least) {  // until the client's kernel has it
    char octet;
    if (least != 0) recv(client_, &octet, 1, MSG_PEEK);
  }
  Bytes Hear(size_t count) {
    Bytes octets(count);
    EXPECT_EQ(recv(server_, octets.data(), count, MSG_WAITALL), static_cast<ssize_t>(count));
    return octets;
  }
  Bytes LeftInKernel() {
    uint8_t octets[64];
    const ssize_t came = recv(client_, octets, sizeof octets, MSG_DONTWAIT);
    return came <= 0 ? Bytes() : Bytes(octets, octets + came);
  }

  // --- calls with faults -------------------------------------------------------------------------
  static inline int g_refuse_send, g_interrupt;  // how many calls from now on
  static inline size_t g_send_most;
  static ssize_t Send(int fd, const void* octets, size_t count, int flags) {
    EXPECT_TRUE((flags & MSG_NOSIGNAL) != 0 && (flags & MSG_DONTWAIT) != 0);
    if (g_interrupt > 0 && g_interrupt-- % 2 == 0) return errno = EINTR, -1;
    if (g_refuse_send > 0) return g_refuse_send--, errno = EAGAIN, -1;
    return send(fd, octets, std::min(count, g_send_most), flags);
  }
  static ssize_t Recv(int fd, void* octets, size_t count, int flags) {
    EXPECT_TRUE((flags & MSG_DONTWAIT) != 0);
    if ((flags & MSG_PEEK) != 0 && g_interrupt > 0 && g_interrupt-- % 2 == 0) {
      return errno = EINTR, -1;
    }
    return recv(fd, octets, count, flags);
  }
  static constexpr SocketCalls kFaulty = {&Recv, &Send, &::poll};

  int client_ = -1, server_ = -1;
  Config config_;
  std::unique_ptr<ClientEngine> engine_;
};

TEST_F(HandshakeTest, StepByStep) {
  Handshake handshake(kLibcSocketCalls, client_, *engine_);
  EXPECT_EQ(handshake.Step(), HandshakeStep::kWantRead);
  EXPECT_EQ(Hex(Hear(kGreetingSize)), "050100");
  EXPECT_EQ(handshake.Step(), HandshakeStep::kWantRead);
  Say(kChoice);
  EXPECT_EQ(handshake.Step(), HandshakeStep::kWantRead);
  Hear(kRequestSize);
  Say(kSuccess);
  EXPECT_EQ(handshake.Step(), HandshakeStep::kEnded);
  EXPECT_TRUE(handshake.established());
  EXPECT_TRUE(handshake.error().ok());
  // The last octet stays in the kernel, for readiness.
  EXPECT_EQ(handshake.unread(), 1u);
  EXPECT_EQ(Hex(LeftInKernel()), "34");
}

TEST_F(HandshakeTest, WhatComesBehindTheReplyStaysInTheKernel) {
  Handshake handshake(kLibcSocketCalls, client_, *engine_);
  Bytes all = kChoice;
  Append(all, kSuccess);
  Append(all, AsBytes("hello"));
  Say(all);
  ASSERT_TRUE(handshake.Run(In(60000)).ok()) << handshake.error().message();
  EXPECT_EQ(handshake.unread(), 1u);
  EXPECT_EQ(AsText(LeftInKernel()), "\x34hello");
}

TEST_F(HandshakeTest, OneOctetAtATime) {
  Handshake handshake(kLibcSocketCalls, client_, *engine_);
  std::thread server([this] {
    Hear(kGreetingSize);
    for (uint8_t octet : kChoice) send(server_, &octet, 1, 0);
    Hear(kRequestSize);
    for (uint8_t octet : kSuccess) send(server_, &octet, 1, 0);
  });
  EXPECT_TRUE(handshake.Run(In(60000)).ok()) << handshake.error().message();
  server.join();
  EXPECT_EQ(Hex(LeftInKernel()), "34");
}

TEST_F(HandshakeTest, AFullSocketIsWaitedFor) {
  g_refuse_send = 2;
  Handshake handshake(kFaulty, client_, *engine_);
  EXPECT_EQ(handshake.Step(), HandshakeStep::kWantWrite);
  EXPECT_EQ(handshake.Step(), HandshakeStep::kWantWrite);
  EXPECT_EQ(handshake.Step(), HandshakeStep::kWantRead);
  EXPECT_EQ(Hex(Hear(kGreetingSize)), "050100");
}

TEST_F(HandshakeTest, PartialSendsAndSignals) {
  g_send_most = 1;
  g_interrupt = 30;
  Handshake handshake(kFaulty, client_, *engine_);
  EXPECT_EQ(handshake.Step(), HandshakeStep::kWantRead);
  EXPECT_EQ(Hex(Hear(kGreetingSize)), "050100");
  Say(kChoice);
  EXPECT_EQ(handshake.Step(), HandshakeStep::kWantRead);
  EXPECT_EQ(Hear(kRequestSize)[0], 5);
  Say(kSuccess);
  EXPECT_EQ(handshake.Step(), HandshakeStep::kEnded);
  EXPECT_TRUE(handshake.established());
}

TEST_F(HandshakeTest, TheServersEnd) {
  Handshake handshake(kLibcSocketCalls, client_, *engine_);
  Say(kChoice);
  CloseServer();
  EXPECT_EQ(handshake.Run(In(60000)).code(), Errc::kServerClosed);
  EXPECT_FALSE(handshake.established());
  EXPECT_EQ(handshake.Step(), HandshakeStep::kEnded);
}

TEST_F(HandshakeTest, AResetIsTheServersEndToo) {
  Handshake handshake(kLibcSocketCalls, client_, *engine_);
  EXPECT_EQ(handshake.Step(), HandshakeStep::kWantRead);
  Hear(kGreetingSize);
  ResetFromServer();
  const Status status = handshake.Run(In(60000));
  EXPECT_EQ(status.code(), Errc::kServerClosed);
  EXPECT_NE(status.message().find("reset"), std::string::npos) << status.message();
}

// What the server said before it closed is the better error than EPIPE.
TEST_F(HandshakeTest, ARefusalIsHeardThoughSendingFails) {
  static constexpr SocketCalls kBroken = {
      &::recv, [](int, const void*, size_t, int) -> ssize_t { return errno = EPIPE, -1; }, &::poll};
  Handshake handshake(kBroken, client_, *engine_);
  Say(Bytes{5, 0xff});
  EXPECT_EQ(handshake.Run(In(60000)).code(), Errc::kAuthentication) << handshake.error().message();
}

TEST_F(HandshakeTest, AFailedSendSaysWhy) {
  static constexpr SocketCalls kBroken = {
      &::recv, [](int, const void*, size_t, int) -> ssize_t { return errno = EPIPE, -1; }, &::poll};
  Handshake handshake(kBroken, client_, *engine_);
  const Status status = handshake.Run(In(60000));
  EXPECT_EQ(status.code(), Errc::kServerClosed);
  EXPECT_NE(status.message().find("Broken pipe"), std::string::npos) << status.message();
}

TEST_F(HandshakeTest, AFailuresOutputIsStillSent) {
  Handshake handshake(kLibcSocketCalls, client_, *engine_);
  engine_->Feed(Bytes{5, 7});  // fails before anything was sent
  EXPECT_EQ(handshake.Step(), HandshakeStep::kEnded);
  EXPECT_EQ(handshake.error().code(), Errc::kPolicy);
  EXPECT_EQ(Hex(Hear(kGreetingSize)), "050100");
}

TEST_F(HandshakeTest, TheDeadlineEndsIt) {
  Handshake handshake(kLibcSocketCalls, client_, *engine_);
  const auto begin = Deadline::clock::now();
  const Status status = handshake.Run(In(60));
  EXPECT_EQ(status.code(), Errc::kTimeout);
  EXPECT_NE(status.message().find("--timeout"), std::string::npos);
  EXPECT_GE(Deadline::clock::now() - begin, milliseconds(60));
  EXPECT_EQ(handshake.Step(), HandshakeStep::kEnded);
  EXPECT_FALSE(handshake.established());
}

TEST(MillisecondsUntilTest, RoundsUpAndHasBounds) {
  EXPECT_EQ(MillisecondsUntil(In(-1000)), 0);
  EXPECT_EQ(MillisecondsUntil(Deadline::min()), 0);
  EXPECT_EQ(MillisecondsUntil(Deadline::max()), INT_MAX);
  EXPECT_GE(MillisecondsUntil(Deadline::clock::now() + std::chrono::microseconds(900)), 0);
  const int second = MillisecondsUntil(In(1000));
  EXPECT_GT(second, 0);
  EXPECT_LE(second, 1000);
}

}  // namespace
}  // namespace socksify
