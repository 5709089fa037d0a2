#include "tools/loop/stream.h"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace socksify {
namespace {

constexpr unsigned kKeepaliveSeconds = 600;
constexpr size_t kMaxPieces = 64;  // in one write

uv_buf_t BufferOf(ByteView octets) {  // which libuv does not write to
  return uv_buf_init(reinterpret_cast<char*>(const_cast<uint8_t*>(octets.data())),
                     static_cast<unsigned>(octets.size()));
}

Stream* StreamOf(void* handle) {
  return static_cast<Stream*>(static_cast<uv_handle_t*>(handle)->data);
}

}  // namespace

// The octets stay where they are until libuv is done with them, also when the stream has gone.
struct Stream::Pending {
  uv_write_t request;
  Bytes octets;
};

StreamPtr Stream::New(uv_loop_t* loop) {
  StreamPtr made(new Stream);
  if (uv_tcp_init(loop, &made->tcp_) != 0) {
    delete made.release();  // no handle yet that could be closed
    return nullptr;
  }
  made->tcp_.data = made.get();
  return made;
}

StreamPtr Stream::Open(uv_loop_t* loop, int fd) {
  StreamPtr made = New(loop);
  return made != nullptr && uv_tcp_open(&made->tcp_, fd) == 0 ? std::move(made) : nullptr;
}

void Stream::Tune() {
  (void)uv_tcp_nodelay(&tcp_, 1);
  (void)uv_tcp_keepalive(&tcp_, 1, kKeepaliveSeconds);
}

void Stream::StartReading() {
  if (reading_) return;
  reading_ = true;
  (void)uv_read_start(
      stream(),
      [](uv_handle_t* from, size_t, uv_buf_t* buffer) { StreamOf(from)->MakeRoom(buffer); },
      [](uv_stream_t* from, ssize_t count, const uv_buf_t*) { StreamOf(from)->OnRead(count); });
}

void Stream::MakeRoom(uv_buf_t* buffer) {
  uint8_t* const octets = buffers().octets;
  const auto [head, most] = owner_->NextReading(this);
  head_ = head.size();
  if (head_ != 0) memcpy(octets, head.data(), head_);
  *buffer = uv_buf_init(reinterpret_cast<char*>(octets) + head_,
                        static_cast<unsigned>(std::min(most, LoopBuffers::kSize - head_)));
}

void Stream::StopReading() {
  reading_ = false;
  (void)uv_read_stop(stream());
}

void Stream::OnRead(ssize_t count) {
  if (count == 0) return;  // EAGAIN
  if (count > 0) {
    owner_->OnOctets(this, {buffers().octets, head_ + static_cast<size_t>(count)});
    return;
  }
  StopReading();
  owner_->OnEnd(this, count == UV_EOF ? PendingError() : static_cast<int>(count));
}

// libuv takes a hang-up right behind octets for the end, also where it is a reset.
int Stream::PendingError() const {
  uv_os_fd_t fd;
  char octet;
  if (uv_fileno(reinterpret_cast<const uv_handle_t*>(&tcp_), &fd) != 0) return 0;
  // As to whoever reads: a FIN counts, also where a reset has followed it.
  if (recv(fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT) >= 0) return 0;
  return uv_translate_sys_error(errno);
}

void Stream::Write(std::span<const ByteView> pieces) {
  while (!pieces.empty() && !write_failed_) {
    const auto now = pieces.first(std::min(pieces.size(), kMaxPieces));
    uv_buf_t buffers[kMaxPieces];
    std::ranges::transform(now, buffers, BufferOf);
    size_t size = 0;
    for (const ByteView piece : now) size += piece.size();
    const int sent = uv_try_write(stream(), buffers, static_cast<unsigned>(now.size()));
    if (sent < 0 || static_cast<size_t>(sent) < size) {
      return Queue(pieces, sent > 0 ? static_cast<size_t>(sent) : 0);
    }
    pieces = pieces.subspan(now.size());
  }
}

// What is behind the first `done` octets. An error comes again here, and is then reported from the
// loop.
void Stream::Queue(std::span<const ByteView> pieces, size_t done) {
  auto* pending = new Pending{};
  pending->request.data = pending;
  for (const ByteView piece : pieces) {
    const size_t skipped = std::min(done, piece.size());
    Append(pending->octets, piece.subspan(skipped));
    done -= skipped;
  }
  uv_buf_t rest = BufferOf(pending->octets);
  const int error =
      uv_write(&pending->request, stream(), &rest, 1, [](uv_write_t* request, int status) {
        Stream* self = StreamOf(request->handle);
        delete static_cast<Pending*>(request->data);
        if (self->owner_ == nullptr || self->write_failed_) return;
        if (status == 0) return self->owner_->OnWritten(self);
        self->write_failed_ = true;
        self->owner_->OnWriteError(self, status);
      });
  if (error != 0) delete pending;  // the stream is closing
}

size_t Stream::unsent() const {
  uv_os_fd_t fd;
  int in_kernel = 0;
  if (uv_fileno(reinterpret_cast<const uv_handle_t*>(&tcp_), &fd) == 0) {
    (void)ioctl(fd, SIOCOUTQ, &in_kernel);
  }
  return queued() + static_cast<size_t>(in_kernel);
}

void Stream::Cork() {
  uv_os_fd_t fd;
  const int on = 1;
  if (uv_fileno(reinterpret_cast<const uv_handle_t*>(&tcp_), &fd) == 0) {
    (void)setsockopt(fd, IPPROTO_TCP, TCP_CORK, &on, sizeof on);
  }
}

void Stream::Shutdown() {
  (void)uv_shutdown(&shutdown_, stream(), [](uv_shutdown_t* request, int status) {
    Stream* self = StreamOf(request->handle);
    if (self->owner_ == nullptr || self->write_failed_) return;
    // Not connected: both ends have been sent, or it was reset, which reading tells.
    if (status == 0 || status == UV_ENOTCONN) return self->owner_->OnShutdown(self);
    self->write_failed_ = true;
    self->owner_->OnWriteError(self, status);
  });
}

void Stream::ResetOnClose(bool reset) {
  // Not uv_tcp_close_reset, which refuses once a shutdown is under way.
  uv_os_fd_t fd;
  const linger at_once = {.l_onoff = reset ? 1 : 0, .l_linger = 0};
  if (uv_fileno(reinterpret_cast<uv_handle_t*>(&tcp_), &fd) == 0) {
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }
}

void Stream::Close() {
  owner_ = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(&tcp_),
           [](uv_handle_t* handle) { delete StreamOf(handle); });
}

void StreamCloser::operator()(Stream* stream) const { stream->Close(); }

sockaddr_storage Stream::LocalSocketAddress() const {
  sockaddr_storage address = {};
  int length = sizeof address;
  (void)uv_tcp_getsockname(&tcp_, reinterpret_cast<sockaddr*>(&address), &length);
  return address;
}

Address Stream::LocalAddress() const {
  const sockaddr_storage address = LocalSocketAddress();
  return AddressOf(reinterpret_cast<const sockaddr*>(&address));
}

Address Stream::PeerAddress() const {
  sockaddr_storage address = {};
  int length = sizeof address;
  (void)uv_tcp_getpeername(&tcp_, reinterpret_cast<sockaddr*>(&address), &length);
  return AddressOf(reinterpret_cast<sockaddr*>(&address));
}

Address AddressOf(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    auto* in = reinterpret_cast<const sockaddr_in*>(address);
    std::array<uint8_t, 4> ip;
    memcpy(ip.data(), &in->sin_addr, ip.size());
    return Address::Ipv4(ip, ntohs(in->sin_port));
  }
  if (address->sa_family == AF_INET6) {
    auto* in = reinterpret_cast<const sockaddr_in6*>(address);
    std::array<uint8_t, 16> ip;
    memcpy(ip.data(), &in->sin6_addr, ip.size());
    return Address::Ipv6(ip, ntohs(in->sin6_port));
  }
  return {};
}

void SetPort(sockaddr_storage* address, uint16_t port) {
  if (address->ss_family == AF_INET6) {
    reinterpret_cast<sockaddr_in6*>(address)->sin6_port = htons(port);
  } else {
    reinterpret_cast<sockaddr_in*>(address)->sin_port = htons(port);
  }
}

sockaddr_storage SocketAddress(const Address& address) {
  sockaddr_storage storage = {};
  if (address.type == AddressType::kIpv4) {
    auto* in = reinterpret_cast<sockaddr_in*>(&storage);
    in->sin_family = AF_INET;
    in->sin_port = htons(address.port);
    memcpy(&in->sin_addr, address.ip.data(), sizeof in->sin_addr);
  } else {
    auto* in = reinterpret_cast<sockaddr_in6*>(&storage);
    in->sin6_family = AF_INET6;
    in->sin6_port = htons(address.port);
    memcpy(&in->sin6_addr, address.ip.data(), sizeof in->sin6_addr);
  }
  return storage;
}

}  // namespace socksify
