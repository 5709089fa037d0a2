// For the tests of socksify-gss-relay: makes sessions with a SOCKS server up to the point where the
// shim would hand them over, and gives them to who has the other end of standard input.
//
//   session-maker SERVER TARGET COUNT [OPTION...] <unix socket>      SERVER and TARGET:
//   ADDRESS:PORT
//
//   level=LEVEL        integrity; else confidentiality
//   ca=FILE            by the SSL method, with a server whose certificate that authority has issued
//   say=TEXT           sealed and left in `unsent`
//   opened=N           frames taken and opened until N octets are in `plaintext`
//   part=N             so many octets of the next frame taken into `received`
//   ended              `sending_ended`
//
// Each is one octet with two descriptors: the socket to the server, a socket with the SessionState
// waiting in it.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "lib/engine/client_engine.h"
#include "lib/engine/codec.h"
#include "lib/io/handshake.h"
#include "lib/io/session_state.h"
#include "lib/wire/frame.h"

namespace socksify {
namespace {

struct Options {
  Config config;
  std::string say;
  size_t opened = 0, part = 0;
  bool ended = false;
};

[[noreturn]] void Die(const std::string& why) {
  (void)fprintf(stderr, "session-maker: %s\n", why.c_str());
  exit(1);
}

sockaddr_in ParseAddress(const std::string& text) {
  const size_t colon = text.rfind(':');
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(atoi(text.c_str() + colon + 1)));
  if (inet_pton(AF_INET, text.substr(0, colon).c_str(), &address.sin_addr) != 1) Die(text);
  return address;
}

Options ParseOptions(int argc, char** argv) {
  Options options;
  for (int i = 0; i < argc; i++) {
    const std::string option = argv[i];
    const size_t equals = option.find('=');
    const std::string name = option.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : option.substr(equals + 1);
    if (name == "level") {
      options.config.protection =
          value == "integrity" ? Protection::kIntegrity : Protection::kConfidentiality;
    } else if (name == "ca") {
      options.config.methods = {Method::kSsl};
      options.config.tls_ca = value;
    } else if (name == "say") {
      options.say = value;
    } else if (name == "opened") {
      options.opened = strtoul(value.c_str(), nullptr, 10);
    } else if (name == "part") {
      options.part = strtoul(value.c_str(), nullptr, 10);
    } else if (name == "ended") {
      options.ended = true;
    } else {
      Die("no such option: " + option);
    }
  }
  return options;
}

Bytes Take(int fd, size_t count) {
  Bytes octets(count);
  if (count != 0 && recv(fd, octets.data(), count, MSG_WAITALL) != static_cast<ssize_t>(count)) {
    Die("the server has closed");
  }
  return octets;
}

Bytes TakeFrame(int fd, const SecurityLayer& layer) {
  Bytes frame = Take(fd, kFrameHeaderSize);
  auto size = layer.FrameSize(frame);
  if (!size.ok()) Die(size.status().message());
  Append(frame, Take(fd, *size - kFrameHeaderSize));
  return frame;
}

int WriteState(const SessionState& state) {
  const Bytes octets = EncodeSessionState(state);
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0 ||
      write(ends[0], octets.data(), octets.size()) != static_cast<ssize_t>(octets.size())) {
    Die("socketpair");
  }
  (void)close(ends[0]);
  return ends[1];
}

void Give(int server, int state) {
  char octet = 0;
  iovec vector = {&octet, 1};
  const int fds[] = {server, state};
  alignas(cmsghdr) char room[CMSG_SPACE(sizeof fds)] = {};
  msghdr message = {};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  message.msg_control = room;
  message.msg_controllen = sizeof room;
  cmsghdr* part = CMSG_FIRSTHDR(&message);
  part->cmsg_level = SOL_SOCKET;
  part->cmsg_type = SCM_RIGHTS;
  part->cmsg_len = CMSG_LEN(sizeof fds);
  memcpy(CMSG_DATA(part), fds, sizeof fds);
  if (sendmsg(STDIN_FILENO, &message, 0) != 1) Die("standard input is no Unix socket");
}

void MakeSession(const sockaddr_in& server, const Request& request, const Options& options) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&server), sizeof server) != 0) Die("connect");
  auto engine = ClientEngine::New(options.config, {"localhost", ntohs(server.sin_port)}, request);
  if (Status status = engine->Prepare(); !status.ok()) Die(status.message());
  Handshake handshake(kLibcSocketCalls, fd, *engine);
  if (Status status = handshake.Run(Deadline::max()); !status.ok()) Die(status.message());
  (void)Take(fd, handshake.unread());

  auto layer = engine->TakeLayer();
  SessionState state;
  state.plaintext = engine->TakeEarlyData();
  while (state.plaintext.size() < options.opened) {
    Bytes frame = TakeFrame(fd, *layer);
    if (auto size = OpenFrame(*layer, frame, &state.plaintext); !size.ok()) {
      Die(size.status().message());
    }
  }
  state.received = Take(fd, options.part);
  if (Status status = SealFrames(*layer, AsBytes(options.say), &state.unsent); !status.ok()) {
    Die(status.message());
  }
  state.sending_ended = options.ended;
  if (options.ended) {
    if (Status status = layer->Close(&state.unsent); !status.ok()) Die(status.message());
  }
  auto exported = layer->Export();
  if (!exported.ok()) Die(exported.status().message());
  state.layer = std::move(*exported);
  const int file = WriteState(state);
  Give(fd, file);
  (void)close(file);
  (void)close(fd);
}

int Main(int argc, char** argv) {
  if (argc < 4) Die("usage: session-maker SERVER TARGET COUNT [OPTION...]");
  const sockaddr_in server = ParseAddress(argv[1]);
  const sockaddr_in target = ParseAddress(argv[2]);
  std::array<uint8_t, 4> ip;
  memcpy(ip.data(), &target.sin_addr, ip.size());
  const Request request = {Command::kConnect, Address::Ipv4(ip, ntohs(target.sin_port))};
  const Options options = ParseOptions(argc - 4, argv + 4);
  for (int left = atoi(argv[3]); left > 0; left--) MakeSession(server, request, options);
  return 0;
}

}  // namespace
}  // namespace socksify

int main(int argc, char** argv) { return socksify::Main(argc, argv); }
