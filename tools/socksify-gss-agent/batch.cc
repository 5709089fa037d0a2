#include "tools/socksify-gss-agent/batch.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace socksify {

size_t Batch::Receive(int fd, int* error) {
  std::array<mmsghdr, kMost> messages = {};
  std::array<iovec, kMost> vectors;
  for (size_t i = 0; i < kMost; i++) {
    vectors[i] = {Room(i), kRoom - kHeadRoom};
    messages[i].msg_hdr.msg_iov = &vectors[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  *error = 0;
  const int count = recvmmsg(fd, messages.data(), kMost, MSG_DONTWAIT, nullptr);
  if (count < 0) {
    *error = errno;
    return 0;
  }
  for (int i = 0; i < count; i++) sizes_[i] = messages[i].msg_len;
  return static_cast<size_t>(count);
}

ByteSpan Batch::Prefixed(size_t index, ByteView head) {
  std::ranges::copy(head, Room(index) - head.size());
  return {Room(index) - head.size(), head.size() + sizes_[index]};
}

size_t SendDatagrams(int fd, const ByteView* datagrams, size_t count, int* error) {
  std::array<mmsghdr, Batch::kMost> messages = {};
  std::array<iovec, Batch::kMost> vectors;
  for (size_t i = 0; i < count; i++) {
    vectors[i] = {const_cast<uint8_t*>(datagrams[i].data()), datagrams[i].size()};
    messages[i].msg_hdr.msg_iov = &vectors[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  *error = 0;
  size_t done = 0;
  while (done < count) {
    const int sent = sendmmsg(fd, &messages[done], static_cast<unsigned>(count - done),
                              MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) {
      done += static_cast<size_t>(sent);
    } else if (errno == EAGAIN || errno == ECONNREFUSED) {
      *error = errno;
      break;
    } else if (errno != EINTR) {
      done++;
    }
  }
  return done;
}

}  // namespace socksify
