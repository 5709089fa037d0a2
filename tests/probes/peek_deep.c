/* MSG_PEEK sees as far as the kernel has received: 40000 octets sent in pieces, all in one peek. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  static unsigned char out[40000], back[60000];
  int fd = peer("echo");
  fill_pattern(out, 0, sizeof out);
  for (int i = 0; i < 10; ++i) send_all(fd, out + 4000 * i, 4000);
  await_octets(fd, sizeof out);
  ssize_t n = recv(fd, back, sizeof back, MSG_PEEK);
  answer("peek", n);
  answer("same", n == sizeof out && memcmp(out, back, sizeof out) == 0);
  n = recv(fd, back, sizeof back, 0);
  answer("recv", n);
  answer("same", n == sizeof out && memcmp(out, back, sizeof out) == 0);
  return 0;
}
