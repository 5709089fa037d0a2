#include "tools/socksify-gss-relay/handover.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <utility>
#include <vector>

#include "tools/helper/message.h"

namespace socksify {
namespace {

int SocketOption(int fd, int option) {
  int value = -1;
  socklen_t size = sizeof value;
  return getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

bool IsTcpSocket(int fd) {
  const int domain = SocketOption(fd, SO_DOMAIN);
  return (domain == AF_INET || domain == AF_INET6) && SocketOption(fd, SO_PROTOCOL) == IPPROTO_TCP;
}

}  // namespace

std::optional<Handover> ReceiveHandover(int control, bool* more, bool* ended) {
  uint8_t octets[2];  // one more than a message has
  auto message = ReceiveMessage(control, octets, more, ended);
  if (!message || message->octets.size() != 1 || message->descriptors.size() != 3) {
    return std::nullopt;
  }
  std::vector<UniqueFd>& fds = message->descriptors;
  if (!IsTcpSocket(fds[0].get()) || !IsTcpSocket(fds[1].get())) return std::nullopt;
  return Handover{std::move(fds[0]), std::move(fds[1]), std::move(fds[2])};
}

Bytes ReadAll(int fd) {
  int size = 0;
  if (ioctl(fd, SIOCINQ, &size) != 0 || size < 0) return {};
  Bytes octets(static_cast<size_t>(size));
  size_t done = 0;
  while (done < octets.size()) {
    const ssize_t count = recv(fd, octets.data() + done, octets.size() - done, MSG_DONTWAIT);
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
