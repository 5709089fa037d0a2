#include "tools/helper/message.h"

#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace socksify {
namespace {

constexpr size_t kMaxDescriptors = 253;  // SCM_MAX_FD: all that one message can carry

int SocketOption(int fd, int option) {
  int value = -1;
  socklen_t size = sizeof value;
  return getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

std::vector<UniqueFd> Descriptors(msghdr* message) {
  std::vector<UniqueFd> fds;
  for (cmsghdr* part = CMSG_FIRSTHDR(message); part != nullptr; part = CMSG_NXTHDR(message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    for (size_t at = CMSG_LEN(0); at < part->cmsg_len; at += sizeof(int)) {
      int fd;
      memcpy(&fd, reinterpret_cast<const char*>(part) + at, sizeof fd);
      fds.emplace_back(fd);
    }
  }
  return fds;
}

// After a read of no octets: the end, or was it a message of none? Those that follow are to be
// seen.
bool AtEnd(int socket) {
  pollfd end = {.fd = socket, .events = POLLRDHUP, .revents = 0};
  int waiting = 0;
  return poll(&end, 1, 0) == 1 && (end.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0 &&
         (ioctl(socket, SIOCINQ, &waiting) != 0 || waiting == 0);
}

}  // namespace

bool IsMessageSocket(int fd) {
  return SocketOption(fd, SO_DOMAIN) == AF_UNIX && SocketOption(fd, SO_TYPE) == SOCK_SEQPACKET;
}

std::optional<Message> ReceiveMessage(int socket, ByteSpan room, bool* more, bool* ended) {
  alignas(cmsghdr) char control[CMSG_SPACE(kMaxDescriptors * sizeof(int))];
  iovec vector = {room.data(), room.size()};
  msghdr header = {};
  header.msg_iov = &vector;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  const ssize_t count = recvmsg(socket, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  *more = true;
  *ended = false;
  if (count == -1) {
    *more = errno == EINTR;
    *ended = errno != EINTR && errno != EAGAIN;
    return std::nullopt;
  }
  Message message = {room.first(static_cast<size_t>(count)), Descriptors(&header),
                     (header.msg_flags & MSG_CTRUNC) != 0};
  if (count == 0 && message.descriptors.empty() && AtEnd(socket)) {
    *more = false;
    *ended = true;
    return std::nullopt;
  }
  if ((header.msg_flags & MSG_TRUNC) != 0) return std::nullopt;
  return message;
}

}  // namespace socksify
