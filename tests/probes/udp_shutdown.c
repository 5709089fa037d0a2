/* shutdown: ENOTCONN unconnected; reading ends with 0 and wakes who waits, writing with EPIPE. */
#include "datagram.h"

static void* wakes(void* fd) {
  char text[16];
  return (void*)(long)recv(*(int*)fd, text, sizeof text, 0);
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = udp_socket(0);
  char text[16];
  signal(SIGPIPE, SIG_IGN);
  answer("unconnected", shutdown(fd, SHUT_RDWR));
  fd = udp_connected();
  send(fd, "hello", 5, 0);
  answer_datagram("recv", fd);
  answer("SHUT_WR", shutdown(fd, SHUT_WR));
  answer("send", send(fd, "x", 1, 0));
  fd = udp_connected();
  send(fd, "hello", 5, 0);
  answer_datagram("recv", fd);
  pthread_t thread;
  void* got;
  pthread_create(&thread, NULL, wakes, &fd);
  usleep(50000);
  answer("SHUT_RD", shutdown(fd, SHUT_RD));
  pthread_join(thread, &got);
  answer("woken", (long)got);
  answer("recv", recv(fd, text, sizeof text, MSG_DONTWAIT));
  struct pollfd p = {.fd = fd, .events = POLLIN | POLLRDHUP};
  poll(&p, 1, 0);
  answer_poll("poll", p.revents);
  answer("send", send(fd, "still", 5, 0));
  return 0;
}
