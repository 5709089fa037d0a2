/* SO_RCVLOWAT: recv, select and epoll wait for so many octets; less comes at the end of the stream,
 * to a small buffer and to who does not wait. */
#include "probe.h"

static void low_water(int fd, int octets) {
  answer("set", setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &octets, sizeof octets));
  answer("SO_RCVLOWAT", socket_option(fd, SOL_SOCKET, SO_RCVLOWAT));
}

static void answer_select(const char* what, int fd, int milliseconds) {
  fd_set set;
  struct timeval limit = {0, milliseconds * 1000};
  FD_ZERO(&set);
  FD_SET(fd, &set);
  answer(what, select(fd + 1, &set, NULL, NULL, milliseconds < 0 ? NULL : &limit));
}

static void there(int fd, int count) {
  for (int now = 0; now < count;) must("FIONREAD", ioctl(fd, FIONREAD, &now) == 0);
}

/* What comes in the second part is enough by itself: the kernel wakes a recv that has a part
 * already only then. */
static void waits(void) {
  char text[32];
  int fd = peer("parts hello wor ld!abcdef more");
  low_water(fd, 11);
  there(fd, 5);
  answer_octets("not waiting", recv(fd, text, sizeof text, MSG_DONTWAIT | MSG_PEEK), text);
  answer_octets("little room", recv(fd, text, 5, 0), text);
  low_water(fd, 9);
  send_all(fd, "gg", 2);
  answer_octets("recv", recv(fd, text, sizeof text, 0), text);
  send_all(fd, "g", 1);
  there(fd, 4);
  answer_select("select", fd, 0);
  answer_octets("not waiting", recv(fd, text, 2, MSG_DONTWAIT), text);
  send_all(fd, "g", 1);
  answer_select("select at the end", fd, -1);
  answer_octets("recv at the end", recv(fd, text, sizeof text, 0), text);
  answer("recv end", recv(fd, text, sizeof text, 0));
  close(fd);
}

static void epolls(uint32_t kind) {
  char text[32];
  int fd = peer("parts abc def ghi jkl"), set = epoll_create1(0);
  low_water(fd, 8);
  must("epoll_ctl", epoll_change(set, EPOLL_CTL_ADD, fd, EPOLLIN | kind, 7) == 0);
  there(fd, 3);
  answer_wait("epoll", set, 20);
  send_all(fd, "g", 1);
  there(fd, 6);
  answer_wait("epoll", set, 20);
  send_all(fd, "g", 1);
  answer_wait("epoll", set, -1);
  answer_wait("epoll again", set, 0);
  answer_octets("recv", recv(fd, text, 4, 0), text);
  answer_wait("epoll after", set, 0);
  low_water(fd, 2);
  answer_wait("epoll lowered", set, kind == 0 ? -1 : 0);
  answer_octets("recv", recv(fd, text, sizeof text, 0), text);
  low_water(fd, 1);
  send_all(fd, "g", 1);
  answer_wait("epoll", set, -1);
  answer_octets("recv", recv(fd, text, sizeof text, 0), text);
  close(set);
  close(fd);
}

static void before(void) {
  char text[32];
  int fd = tcp_socket(0);
  struct pollfd p;
  low_water(fd, 8);
  must("connect", connect(fd, PEER_SOCKADDR, PEER_LENGTH) == 0);
  answer("SO_RCVLOWAT", socket_option(fd, SOL_SOCKET, SO_RCVLOWAT));
  peer_script(fd, "parts hello world");
  there(fd, 5);
  p = (struct pollfd){.fd = fd, .events = POLLIN};
  answer("poll", poll(&p, 1, 0));
  send_all(fd, "g", 1);
  answer("poll", poll(&p, 1, -1));
  answer_octets("recv", recv(fd, text, sizeof text, 0), text);
  close(fd);
}

static void with_waitall(void) {
  char text[32];
  int fd = peer("parts abc def");
  low_water(fd, 2);
  send_all(fd, "g", 1);
  answer_octets("MSG_WAITALL", recv(fd, text, 5, MSG_WAITALL), text);
  low_water(fd, 0);
  answer_octets("recv", recv(fd, text, 5, 0), text);
  close(fd);
}

static void large(void) {
  static unsigned char all[40000];
  int fd = peer("bulk 40000");
  low_water(fd, 40000);
  answer_poll("poll", await(fd, POLLIN));
  answer("recv", recv(fd, all, sizeof all, 0));
  printf("crc %08x\n", crc32_of(0, all, sizeof all));
  close(fd);
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  waits();
  epolls(0);
  epolls(EPOLLET);
  before();
  with_waitall();
  large();
  return 0;
}
