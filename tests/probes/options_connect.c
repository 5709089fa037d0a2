/* Options that change what connect does, set before it: TCP_CORK, TCP_FASTOPEN_CONNECT,
 * SO_RCVLOWAT, TCP_DEFER_ACCEPT, IP_BIND_ADDRESS_NO_PORT, SO_BINDTODEVICE, SO_REUSEPORT, O_ASYNC.
 */
#include "probe.h"

#include <time.h>

static void with(const char* name, int level, int option, const void* value, socklen_t length) {
  int fd = tcp_socket(0), now = -7;
  socklen_t size = sizeof now;
  printf("%s ", name);
  answer("set", setsockopt(fd, level, option, value, length));
  if (connect(fd, PEER_SOCKADDR, PEER_LENGTH) != 0) {
    answer("connect", -1);
  } else if (length == sizeof now) {
    answer("is", (getsockopt(fd, level, option, &now, &size), now));
  }
  peer_script(fd, "digest");
  send_all(fd, "hello", 5);
  shutdown(fd, SHUT_WR);
  char reply[64] = "";
  reply[recv_all(fd, reply, sizeof reply - 1)] = 0;
  answer_arrived(reply, 5, crc32_of(0, "hello", 5));
  close(fd);
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int on = 1, five = 5, big = 1000000;
  with("TCP_CORK", IPPROTO_TCP, TCP_CORK, &on, sizeof on);
  with("TCP_NODELAY", IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  with("TCP_FASTOPEN_CONNECT", IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof on);
  with("TCP_FASTOPEN_CONNECT bad", IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &five, sizeof five);
  with("SO_RCVLOWAT", SOL_SOCKET, SO_RCVLOWAT, &five, sizeof five);
  with("SO_RCVLOWAT big", SOL_SOCKET, SO_RCVLOWAT, &big, sizeof big);
  with("TCP_DEFER_ACCEPT", IPPROTO_TCP, TCP_DEFER_ACCEPT, &on, sizeof on);
  with("IP_BIND_ADDRESS_NO_PORT", IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  with("SO_BINDTODEVICE", SOL_SOCKET, SO_BINDTODEVICE, "lo", 3);
  with("SO_BINDTODEVICE bad", SOL_SOCKET, SO_BINDTODEVICE, "none-such", 10);
  with("SO_REUSEPORT", SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  with("SO_PRIORITY", SOL_SOCKET, SO_PRIORITY, &five, sizeof five);
  with("TCP_CONGESTION", IPPROTO_TCP, TCP_CONGESTION, "reno", 4);
  with("TCP_WINDOW_CLAMP", IPPROTO_TCP, TCP_WINDOW_CLAMP, &five, sizeof five);
  with("SO_LINGER", SOL_SOCKET, SO_LINGER, &(struct linger){1, 5}, sizeof(struct linger));
  int fd = tcp_socket(0);
  must("FIOASYNC", ioctl(fd, FIOASYNC, &on) == 0);
  signal(SIGIO, SIG_IGN);
  fcntl(fd, F_SETOWN, getpid());
  answer("O_ASYNC connect", connect(fd, PEER_SOCKADDR, PEER_LENGTH));
  peer_script(fd, "echo");
  answer_echo(fd, "hello");
  return 0;
}
