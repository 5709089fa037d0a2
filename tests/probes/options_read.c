/* What programs read of a socket, fresh and connected: its kind, cookie, TCP_INFO, names of
 * algorithms, and what they set of TCP and IP. */
#include "probe.h"

static void change(int fd, const char* name, int level, int option, int value) {
  printf("%s ", name);
  answer("set", setsockopt(fd, level, option, &value, sizeof value));
  printf("%s ", name);
  answer("is", socket_option(fd, level, option));
}

static unsigned long long cookie(int fd) {
  unsigned long long value = 0;
  socklen_t length = sizeof value;
  answer("SO_COOKIE", getsockopt(fd, SOL_SOCKET, SO_COOKIE, &value, &length));
  printf("length %u\n", length);
  return value;
}

static void describe(int fd) {
  struct tcp_info info = {0};
  socklen_t length = sizeof info;
  char text[64];
  answer("SO_TYPE", socket_option(fd, SOL_SOCKET, SO_TYPE));
  answer("SO_DOMAIN", socket_option(fd, SOL_SOCKET, SO_DOMAIN));
  answer("SO_PROTOCOL", socket_option(fd, SOL_SOCKET, SO_PROTOCOL));
  answer("SO_ACCEPTCONN", socket_option(fd, SOL_SOCKET, SO_ACCEPTCONN));
  answer("SO_ERROR", socket_option(fd, SOL_SOCKET, SO_ERROR));
  answer("SO_INCOMING_CPU", socket_option(fd, SOL_SOCKET, SO_INCOMING_CPU) >= -1);
  answer("SO_BINDTODEVICE",
         (length = sizeof text, getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, text, &length)));
  printf("length %u\n", length);
  length = sizeof info;
  answer("TCP_INFO", getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length));
  printf("state %d\n", info.tcpi_state);
  length = sizeof text;
  answer("TCP_CONGESTION", getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, text, &length));
  printf("length %u %.16s\n", length, text);
  length = sizeof text;
  answer("TCP_ULP", getsockopt(fd, IPPROTO_TCP, TCP_ULP, text, &length));
  printf("length %u\n", length);
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = tcp_socket(0), copy;
  char octet;
  unsigned long long before = cookie(fd);
  describe(fd);
  must("connect", connect(fd, PEER_SOCKADDR, PEER_LENGTH) == 0);
  printf("cookie %s\n", cookie(fd) == before && before != 0 ? "as before" : "other");
  copy = dup(fd);
  printf("duplicate's cookie %s\n", cookie(copy) == before ? "the same" : "other");
  describe(fd);
  change(fd, "TCP_QUICKACK", IPPROTO_TCP, TCP_QUICKACK, 0);
  change(fd, "TCP_CORK", IPPROTO_TCP, TCP_CORK, 1);
  change(fd, "TCP_CORK", IPPROTO_TCP, TCP_CORK, 0);
  change(fd, "TCP_NODELAY", IPPROTO_TCP, TCP_NODELAY, 1);
  change(fd, "TCP_USER_TIMEOUT", IPPROTO_TCP, TCP_USER_TIMEOUT, 30000);
  change(fd, "TCP_USER_TIMEOUT negative", IPPROTO_TCP, TCP_USER_TIMEOUT, -1);
  change(fd, "TCP_KEEPINTVL", IPPROTO_TCP, TCP_KEEPINTVL, 9);
  change(fd, "TCP_KEEPCNT", IPPROTO_TCP, TCP_KEEPCNT, 3);
  change(fd, "TCP_SYNCNT", IPPROTO_TCP, TCP_SYNCNT, 2);
  change(fd, "TCP_LINGER2", IPPROTO_TCP, TCP_LINGER2, 20);
  change(fd, "TCP_NOTSENT_LOWAT", IPPROTO_TCP, TCP_NOTSENT_LOWAT, 100000);
  change(fd, "TCP_FASTOPEN_CONNECT", IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1);
  change(fd, "TCP_INQ", IPPROTO_TCP, 36, 2);
  change(fd, "IP_TOS", IPPROTO_IP, IP_TOS, 0x10);
  change(fd, "IP_TTL", IPPROTO_IP, IP_TTL, 44);
  change(fd, "IP_MTU_DISCOVER", IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO);
  change(fd, "IP_BIND_ADDRESS_NO_PORT", IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
  change(fd, "IP_RECVERR", IPPROTO_IP, IP_RECVERR, 0);
  change(fd, "IPV6_TCLASS", IPPROTO_IPV6, IPV6_TCLASS, 8);
  change(fd, "SO_REUSEPORT", SOL_SOCKET, SO_REUSEPORT, 1);
  change(fd, "SO_BROADCAST", SOL_SOCKET, SO_BROADCAST, 1);
  change(fd, "SO_DONTROUTE", SOL_SOCKET, SO_DONTROUTE, 0);
  change(fd, "SO_NO_CHECK", SOL_SOCKET, SO_NO_CHECK, 0);
  change(fd, "SO_PASSCRED", SOL_SOCKET, SO_PASSCRED, 1);
  change(fd, "SO_TYPE", SOL_SOCKET, SO_TYPE, 1);
  change(fd, "SO_RXQ_OVFL", SOL_SOCKET, SO_RXQ_OVFL, 1);
  change(fd, "SO_BUSY_POLL", SOL_SOCKET, SO_BUSY_POLL, 0);
  answer("TCP_CONGESTION", setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4));
  answer("TCP_CONGESTION bad", setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "none-such", 9));
  answer("no length", setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &copy, 2));
  answer("bad value pointer", setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, (void*)8, 4));
  answer("short value", setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &copy, 2));
  answer("bad length pointer", getsockopt(fd, SOL_SOCKET, SO_TYPE, &copy, (socklen_t*)8));
  describe(fd);
  peer_script(fd, "say x");
  answer("recv", recv(fd, &octet, 1, 0));
  peer_release(fresh_key());
  close(copy);
  close(fd);

  fd = peer("close-now");
  answer_poll("end", await(fd, POLLRDHUP));
  describe(fd);
  return 0;
}
