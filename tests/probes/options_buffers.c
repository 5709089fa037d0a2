/* SO_RCVBUF and SO_SNDBUF: what they read as, before and after connect, and 6000 octets through the
 * smallest. */
#include "probe.h"

static void change(int fd, const char* name, int option, int value) {
  printf("%s %d ", name, value);
  answer("set", setsockopt(fd, SOL_SOCKET, option, &value, sizeof value));
  printf("%s ", name);
  answer("is", socket_option(fd, SOL_SOCKET, option));
}

static unsigned char all[6000];

static void through(int fd) {
  set_nonblocking(fd, 1);
  size_t sent = 0, came = 0;
  uint32_t crc = 0;
  static unsigned char back[6000];
  while (came < sizeof all) {
    struct pollfd p = {.fd = fd, .events = POLLIN | (sent < sizeof all ? POLLOUT : 0)};
    poll(&p, 1, -1);
    if (p.revents & POLLOUT && sent < sizeof all) {
      ssize_t n = send(fd, all + sent, sizeof all - sent, 0);
      if (n > 0) sent += (size_t)n;
    }
    ssize_t n = recv(fd, back, sizeof back, 0);
    if (n == 0) break;
    if (n < 0) continue;
    crc = crc32_of(crc, back, (size_t)n);
    came += (size_t)n;
  }
  printf("through %zu %s\n", came, crc == crc32_of(0, all, sizeof all) ? "whole" : "damaged");
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  fill_pattern(all, 0, sizeof all);
  int fd = tcp_socket(0);
  change(fd, "SO_RCVBUF", SO_RCVBUF, 20000);
  change(fd, "SO_SNDBUF", SO_SNDBUF, 20000);
  must("connect", connect(fd, PEER_SOCKADDR, PEER_LENGTH) == 0);
  answer("SO_RCVBUF", socket_option(fd, SOL_SOCKET, SO_RCVBUF));
  answer("SO_SNDBUF", socket_option(fd, SOL_SOCKET, SO_SNDBUF));
  change(fd, "SO_RCVBUF", SO_RCVBUF, 30000);
  change(fd, "SO_RCVBUF", SO_RCVBUF, 1);
  change(fd, "SO_SNDBUF", SO_SNDBUF, 1);
  change(fd, "SO_RCVBUF", SO_RCVBUF, 100000);
  change(fd, "SO_RCVBUF", SO_RCVBUF, 0);
  answer("bad", setsockopt(fd, SOL_SOCKET, SO_RCVBUF, (void*)8, 4));
  peer_script(fd, "echo");
  through(fd);
  close(fd);

  fd = peer("echo");
  change(fd, "SO_RCVBUF", SO_RCVBUF, 1);
  through(fd);
  return 0;
}
