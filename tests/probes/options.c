/* TCP_NODELAY, SO_KEEPALIVE, SO_LINGER, SO_RCVTIMEO, SO_RCVLOWAT and others: set, read back, before
 * and after traffic. */
#include "probe.h"

static void set_and_get(int fd, const char* name, int level, int option, int value) {
  printf("%s: ", name);
  answer("before", socket_option(fd, level, option));
  printf("%s: ", name);
  answer("set", setsockopt(fd, level, option, &value, sizeof value));
  printf("%s: ", name);
  answer("after", socket_option(fd, level, option));
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = peer("parts hello world");
  struct linger linger = {0, 0};
  struct timeval limit = {-1, -1};
  struct tcp_info info;
  socklen_t length = sizeof linger;
  char text[16];
  set_and_get(fd, "TCP_NODELAY", IPPROTO_TCP, TCP_NODELAY, 1);
  set_and_get(fd, "TCP_KEEPIDLE", IPPROTO_TCP, TCP_KEEPIDLE, 77);
  set_and_get(fd, "TCP_DEFER_ACCEPT", IPPROTO_TCP, TCP_DEFER_ACCEPT, 0);
  set_and_get(fd, "TCP_USER_TIMEOUT", IPPROTO_TCP, TCP_USER_TIMEOUT, 5000);
  set_and_get(fd, "SO_KEEPALIVE", SOL_SOCKET, SO_KEEPALIVE, 1);
  set_and_get(fd, "SO_REUSEADDR", SOL_SOCKET, SO_REUSEADDR, 1);
  set_and_get(fd, "SO_OOBINLINE", SOL_SOCKET, SO_OOBINLINE, 1);
  set_and_get(fd, "SO_PRIORITY", SOL_SOCKET, SO_PRIORITY, 3);
  set_and_get(fd, "IP_TOS", IPPROTO_IP, IP_TOS, 8);
  answer("SO_RCVLOWAT", socket_option(fd, SOL_SOCKET, SO_RCVLOWAT));
  await(fd, POLLIN);
  answer("SO_RCVLOWAT", socket_option(fd, SOL_SOCKET, SO_RCVLOWAT));
  answer_octets("recv", recv(fd, text, 2, 0), text);
  answer("SO_RCVLOWAT", socket_option(fd, SOL_SOCKET, SO_RCVLOWAT));
  answer_octets("recv", recv(fd, text, 16, 0), text);
  answer("SO_RCVLOWAT", socket_option(fd, SOL_SOCKET, SO_RCVLOWAT));
  answer("SO_SNDLOWAT", socket_option(fd, SOL_SOCKET, SO_SNDLOWAT));
  answer("SO_LINGER", getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &length));
  printf("linger %d %d length %u\n", linger.l_onoff, linger.l_linger, length);
  length = sizeof limit;
  answer("SO_RCVTIMEO", getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, &length));
  printf("limit %ld %ld length %u\n", (long)limit.tv_sec, (long)limit.tv_usec, length);
  limit = (struct timeval){3, 0};
  answer("SO_RCVTIMEO", setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit));
  answer("SO_SNDTIMEO", setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit));
  limit = (struct timeval){-1, -1};
  answer("SO_RCVTIMEO", getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, &length));
  printf("limit %ld %ld length %u\n", (long)limit.tv_sec, (long)limit.tv_usec, length);
  limit = (struct timeval){0, 5000000};
  answer("SO_RCVTIMEO bad", setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit));
  length = sizeof info;
  answer("TCP_INFO", getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length));
  printf("state %d\n", info.tcpi_state);
  answer("bad option", socket_option(fd, SOL_SOCKET, 9999));
  answer("bad level", socket_option(fd, 9999, 1));
  length = 2;
  char small[4] = "----";
  answer("short", getsockopt(fd, SOL_SOCKET, SO_TYPE, small, &length));
  printf("length %u rest %.2s\n", length, small + 2);
  length = 2;
  answer("short SO_ERROR", getsockopt(fd, SOL_SOCKET, SO_ERROR, small, &length));
  printf("length %u rest %.2s\n", length, small + 2);
  answer("bad pointer", getsockopt(fd, SOL_SOCKET, SO_ERROR, (void*)8, &length));
  send_all(fd, "g", 1);
  answer_octets("recv", recv(fd, text, 16, 0), text);
  return 0;
}
