#include "shim/orphan.h"

#include <poll.h>
#include <sys/socket.h>

#include <cstdint>

#include "shim/real_calls.h"

namespace socksify {

Unread LookForUnread(int fd) {
  const int one = 1;
  (void)real::setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &one, sizeof one);
  uint8_t octet;
  const ssize_t came = real::recv(fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT);
  if (came < 0) return Unread::kNothing;  // an error is the sender's to meet
  return came == 0 ? Unread::kEnd : Unread::kOctets;
}

short OrphanEvents(Unread unread) {
  return unread == Unread::kNothing ? POLLOUT | POLLIN : POLLOUT;
}

}  // namespace socksify
