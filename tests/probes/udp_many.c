/* Two hundred sockets at once, each with its own echo, some twice. */
#include "datagram.h"

enum { kCount = 200 };

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fds[kCount];
  long right = 0;
  for (int i = 0; i < kCount; ++i) {
    fds[i] = udp_socket(i % 2 ? SOCK_NONBLOCK : 0);
    char text[16];
    snprintf(text, sizeof text, "socket %d", i);
    must("sendto", say(fds[i], text) > 0);
  }
  for (int i = 0; i < kCount; ++i) {
    char text[16], back[32] = {0};
    snprintf(text, sizeof text, "socket %d", i);
    await(fds[i], POLLIN);
    must("recv", recv(fds[i], back, sizeof back - 1, 0) > 0);
    right += strcmp(text, back) == 0;
  }
  answer("right", right);
  for (int i = 0; i < kCount; i += 2) close(fds[i]);
  for (int i = 1; i < kCount; i += 2) {
    must("sendto", say(fds[i], "again") > 0);
    char back[32];
    await(fds[i], POLLIN);
    right += recv(fds[i], back, sizeof back, 0) == 5;
  }
  answer("right", right);
  return 0;
}
