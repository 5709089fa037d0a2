#include "shim/orphan.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <climits>
#include <cstddef>
#include <cstdint>

#include "lib/wire/frame.h"
#include "shim/real_calls.h"

namespace socksify {

namespace {

// Does what has come begin with the SSL draft's last frame?
bool IsClosing(ByteView came) {
  return came.size() >= 2 && came[0] == kFrameVersion &&
         came[1] == static_cast<uint8_t>(SslState::kClosing);
}

}  // namespace

Unread LookForUnread(int fd) {
  const int one = 1;
  (void)real::setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &one, sizeof one);
  uint8_t octets[2];
  const ssize_t came = real::recv(fd, octets, sizeof octets, MSG_PEEK | MSG_DONTWAIT);
  if (came < 0) return Unread::kNothing;  // an error is the sender's to meet
  if (came == 0) return Unread::kEnd;
  if (!IsClosing({octets, static_cast<size_t>(came)})) return Unread::kOctets;
  (void)real::recv(fd, nullptr, INT_MAX, MSG_TRUNC | MSG_DONTWAIT);
  return Unread::kEnd;
}

bool HasUnsent(int fd) {
  tcp_info info = {};  // sandboxes let it through rather than ioctl
  socklen_t size = sizeof info;
  return real::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 &&
         size > offsetof(tcp_info, tcpi_notsent_bytes) && info.tcpi_notsent_bytes != 0;
}

short OrphanEvents(Unread unread) {
  return unread == Unread::kNothing ? POLLOUT | POLLIN : POLLOUT;
}

}  // namespace socksify
