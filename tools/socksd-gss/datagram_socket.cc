#include "tools/socksd-gss/datagram_socket.h"

#include <netinet/in.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "tools/loop/stream.h"

namespace socksify {
namespace {

constexpr int kKernelBuffer = 1 << 20;  // for what comes while the loop is elsewhere

// One reading: then the loop's other sockets get their turn.
struct Batch {
  static constexpr size_t kMost = 16;
  static constexpr size_t kRoom = 65536;

  std::array<std::array<uint8_t, kRoom>, kMost> octets;
  std::array<sockaddr_storage, kMost> sources;
  std::array<iovec, kMost> vectors;
  std::array<mmsghdr, kMost> messages;

  // How many have come; -1 with errno.
  int Receive(int fd) {
    for (size_t i = 0; i < kMost; i++) {
      vectors[i] = {octets[i].data(), kRoom};
      messages[i] = {};
      messages[i].msg_hdr.msg_name = &sources[i];
      messages[i].msg_hdr.msg_namelen = sizeof sources[i];
      messages[i].msg_hdr.msg_iov = &vectors[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
    return recvmmsg(fd, messages.data(), kMost, MSG_DONTWAIT, nullptr);
  }
};

Batch& ThreadsBatch() {
  // Not initialized: pages that no datagram has reached take no memory.
  thread_local const std::unique_ptr<Batch> batch(new Batch);
  return *batch;  // NOLINT(clang-analyzer-cplusplus.NewDelete): it lives as long as the thread
}

}  // namespace

std::unique_ptr<DatagramSocket> DatagramSocket::Open(uv_loop_t* loop, DatagramSocketOwner* owner,
                                                     const sockaddr_storage& local) {
  const int fd = socket(local.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return nullptr;
  const int on = 1;
  if (local.ss_family == AF_INET6) (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  for (int option : {SO_RCVBUF, SO_SNDBUF}) {
    (void)setsockopt(fd, SOL_SOCKET, option, &kKernelBuffer, sizeof kKernelBuffer);
  }
  std::unique_ptr<DatagramSocket> made(new DatagramSocket(loop, owner, fd));
  if (bind(fd, reinterpret_cast<const sockaddr*>(&local), sizeof local) != 0) return nullptr;
  sockaddr_storage bound = {};
  socklen_t length = sizeof bound;
  (void)getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &length);
  made->address_ = AddressOf(reinterpret_cast<sockaddr*>(&bound));
  errno = ENOMEM;
  return made->watch_.Start(fd, UV_READABLE) ? std::move(made) : nullptr;
}

DatagramSocket::DatagramSocket(uv_loop_t* loop, DatagramSocketOwner* owner, int fd)
    : owner_(owner),
      fd_(fd),
      watch_(
          loop, [](void* self) { (void)static_cast<DatagramSocket*>(self)->Receive(); }, this) {}

DatagramSocket::~DatagramSocket() {
  const int error = errno;
  watch_.Stop();
  (void)close(fd_);
  errno = error;
}

// False: nothing had come.
bool DatagramSocket::Receive() {
  Batch& batch = ThreadsBatch();
  const int count = batch.Receive(fd_);  // a failure is an error of the socket's, gone by now
  for (int i = 0; i < count; i++) {
    const auto at = static_cast<size_t>(i);
    owner_->OnDatagram(batch.sources[at],
                       ByteSpan(batch.octets[at]).first(batch.messages[at].msg_len));
  }
  return count > 0;
}

void DatagramSocket::ReceiveAll() {
  constexpr int kMostBatches = 256;  // more than the kernel keeps
  for (int i = 0; i < kMostBatches && Receive(); i++) {
  }
}

int DatagramSocket::Send(const sockaddr_storage& to, ByteView datagram) {
  const ssize_t sent = sendto(fd_, datagram.data(), datagram.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                              reinterpret_cast<const sockaddr*>(&to), sizeof to);
  return sent < 0 ? errno : 0;
}

}  // namespace socksify
