/* 40 non-blocking connects at once in one poll loop, each has its own echo. */
#include "probe.h"

enum { kMany = 40 };

int main(int argc, char** argv) {
  probe_start(argc, argv);
  struct pollfd all[kMany];
  int state[kMany] = {0}, left = kMany, good = 0;
  for (int i = 0; i < kMany; ++i) {
    all[i].fd = tcp_socket(SOCK_NONBLOCK);
    all[i].events = POLLOUT;
    if (connect(all[i].fd, PEER_SOCKADDR, PEER_LENGTH) != -1 || errno != EINPROGRESS)
      puts("connect odd");
  }
  while (left) {
    must("poll", poll(all, kMany, -1) > 0);
    for (int i = 0; i < kMany; ++i) {
      if (!all[i].revents) continue;
      if (state[i]++ == 0) {
        if (socket_option(all[i].fd, SOL_SOCKET, SO_ERROR) != 0) puts("SO_ERROR odd");
        char line[32];
        int n = snprintf(line, sizeof line, "say number%d\n", i);
        if (send(all[i].fd, line, (size_t)n, 0) != n) puts("send odd");
        all[i].events = POLLIN;
      } else {
        char text[32], expected[32];
        int n = snprintf(expected, sizeof expected, "number%d", i);
        good +=
            recv(all[i].fd, text, sizeof text, 0) == n && memcmp(text, expected, (size_t)n) == 0;
        close(all[i].fd);
        all[i].fd = -1;
        --left;
      }
    }
  }
  answer("good", good);
  return 0;
}
