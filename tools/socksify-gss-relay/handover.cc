#include "tools/socksify-gss-relay/handover.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <vector>

namespace socksify {
namespace {

constexpr size_t kMaxDescriptors = 253;    // SCM_MAX_FD: all that one message can carry
constexpr off_t kMaxStateSize = 64 << 20;  // far above what any buffer of the shim holds

int SocketOption(int fd, int option) {
  int value = -1;
  socklen_t size = sizeof value;
  return getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

bool IsTcpSocket(int fd) {
  const int domain = SocketOption(fd, SO_DOMAIN);
  return (domain == AF_INET || domain == AF_INET6) && SocketOption(fd, SO_PROTOCOL) == IPPROTO_TCP;
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
bool AtEnd(int control) {
  pollfd end = {.fd = control, .events = POLLRDHUP, .revents = 0};
  int waiting = 0;
  return poll(&end, 1, 0) == 1 && (end.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0 &&
         (ioctl(control, SIOCINQ, &waiting) != 0 || waiting == 0);
}

}  // namespace

bool IsControlSocket(int fd) {
  return SocketOption(fd, SO_DOMAIN) == AF_UNIX && SocketOption(fd, SO_TYPE) == SOCK_SEQPACKET;
}

std::optional<Handover> ReceiveHandover(int control, bool* more, bool* ended) {
  uint8_t octets[2];  // one more than a message has
  alignas(cmsghdr) char room[CMSG_SPACE(kMaxDescriptors * sizeof(int))];
  iovec vector = {octets, sizeof octets};
  msghdr message = {};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  message.msg_control = room;
  message.msg_controllen = sizeof room;
  const ssize_t count = recvmsg(control, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  *more = true;
  *ended = false;
  if (count == -1) {
    *more = errno == EINTR;
    *ended = errno != EINTR && errno != EAGAIN;
    return std::nullopt;
  }
  std::vector<UniqueFd> fds = Descriptors(&message);
  if (count == 0 && fds.empty() && AtEnd(control)) {
    *more = false;
    *ended = true;
  }
  if (count != 1 || fds.size() != 3) return std::nullopt;
  if (!IsTcpSocket(fds[0].get()) || !IsTcpSocket(fds[1].get())) return std::nullopt;
  return Handover{std::move(fds[0]), std::move(fds[1]), std::move(fds[2])};
}

Bytes ReadAll(int fd) {
  struct stat status;
  if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size > kMaxStateSize)
    return {};
  Bytes octets(static_cast<size_t>(status.st_size));
  size_t done = 0;
  while (done < octets.size()) {
    const ssize_t count =
        pread(fd, octets.data() + done, octets.size() - done, static_cast<off_t>(done));
    if (count == -1 && errno == EINTR) continue;
    if (count <= 0) break;
    done += static_cast<size_t>(count);
  }
  octets.resize(done);
  return octets;
}

void Prepare(int socket) {
  const int least = 1;
  const linger reset = {.l_onoff = 1, .l_linger = 0};
  (void)setsockopt(socket, SOL_SOCKET, SO_RCVLOWAT, &least, sizeof least);
  (void)setsockopt(socket, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  const int flags = fcntl(socket, F_GETFL);
  if (flags != -1) (void)fcntl(socket, F_SETFL, (flags & ~O_ASYNC) | O_NONBLOCK);
}

}  // namespace socksify
