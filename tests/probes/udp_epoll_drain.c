/* An edge-triggered reader that drains to EAGAIN never misses a datagram of a thousand. */
#include "datagram.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = udp_socket(SOCK_NONBLOCK), set = epoll_create1(0), seen = 0, sent = 0;
  char text[64];
  struct epoll_event event;
  epoll_change(set, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLET, 0);
  while (seen < 1000) {
    for (; sent < 1000 && sent - seen < 20; ++sent) {
      snprintf(text, sizeof text, "%d", sent);
      must("sendto", say(fd, text) > 0);
    }
    must("epoll_wait", epoll_wait(set, &event, 1, -1) == 1);
    long n;
    while ((n = recv(fd, text, sizeof text - 1, 0)) > 0) {
      text[n] = 0;
      must("order", atoi(text) == seen);
      ++seen;
    }
    must("EAGAIN", errno == EAGAIN);
  }
  answer("seen", seen);
  return 0;
}
