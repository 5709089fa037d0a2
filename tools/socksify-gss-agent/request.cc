#include "tools/socksify-gss-agent/request.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <optional>

#include "tools/helper/message.h"
#include "tools/socksify-gss-agent/descriptors.h"

namespace socksify {
namespace {

constexpr size_t kMaxRequest = 1024;  // more than any has

bool IsPipe(int fd) {
  struct stat status;
  return fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode);
}

std::optional<IncomingRequest> Decode(Message message) {
  auto& fds = message.descriptors;
  auto request = DecodeAgentRequest(message.octets);
  if (!request.ok() || fds.empty() || fds.size() > 2 || !IsPipe(fds[0].get())) return std::nullopt;
  if (message.cut) {
    AgentReply refusal;
    refusal.error = ConnectErrno(OutOfDescriptors().code());
    refusal.message = OutOfDescriptors().message();
    ReplyPipe(std::move(fds[0])).Send(refusal);
    return std::nullopt;
  }
  return IncomingRequest{std::move(*request), ReplyPipe(std::move(fds[0])),
                         fds.size() == 2 ? std::move(fds[1]) : UniqueFd()};
}

}  // namespace

void ReplyPipe::Send(const AgentReply& reply) {
  const Bytes octets = EncodeAgentReply(reply);
  const int flags = fcntl(pipe_.get(), F_GETFL);
  if (flags == -1 || fcntl(pipe_.get(), F_SETFL, flags | O_NONBLOCK) != 0) return;
  if (write(pipe_.get(), octets.data(), octets.size()) < 0) return;  // nobody listens
}

RequestSocket::RequestSocket(uv_loop_t* loop, RequestOwner* owner, UniqueFd socket)
    : owner_(owner),
      socket_(std::move(socket)),
      watch_(
          loop, [](void* self) { static_cast<RequestSocket*>(self)->OnReadable(); }, this) {}

bool RequestSocket::Start() {
  return IsMessageSocket(socket_.get()) && watch_.Start(socket_.get(), UV_READABLE);
}

// A few at a time: what else there is on the loop is to go on meanwhile.
void RequestSocket::OnReadable() {
  constexpr int kAtOnce = 16;
  uint8_t room[kMaxRequest];
  bool more = true, ended = false;
  for (int i = 0; more && i < kAtOnce; i++) {
    auto message = ReceiveMessage(socket_.get(), room, &more, &ended);
    auto incoming = message ? Decode(std::move(*message)) : std::nullopt;
    if (incoming) owner_->OnRequest(std::move(*incoming));
  }
  if (!ended) return;
  watch_.Stop();
  owner_->OnRequestsEnd();
}

}  // namespace socksify
