/* MSG_PEEK with MSG_WAITALL waits for all of it, with MSG_TRUNC leaves the buffer alone;
 * SO_PEEK_OFF moves along. */
#include "probe.h"

static void peek_offset(int fd) {
  answer("SO_PEEK_OFF", socket_option(fd, SOL_SOCKET, SO_PEEK_OFF));
}

static void set_peek_offset(int fd, int offset) {
  answer("set", setsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, &offset, sizeof offset));
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  char text[64];
  int fd = peer("parts hello world");
  send_all(fd, "g", 1);
  answer_octets("peek all", recv(fd, text, 10, MSG_PEEK | MSG_WAITALL), text);
  answer_octets("peek again", recv(fd, text, 10, MSG_PEEK | MSG_WAITALL), text);
  memset(text, '.', sizeof text);
  answer_octets("peek truncated", recv(fd, text, 4, MSG_PEEK | MSG_TRUNC), text);
  answer_octets("recv all truncated", recv(fd, text, 2, MSG_WAITALL | MSG_TRUNC), text);
  answer_octets("peek more than there is",
                recv(fd, text, 20, MSG_PEEK | MSG_WAITALL | MSG_DONTWAIT), text);
  send_all(fd, "g", 1); /* the peer closes */
  answer_octets("peek at the end", recv(fd, text, 20, MSG_PEEK | MSG_WAITALL), text);
  answer_octets("recv", recv(fd, text, 20, MSG_WAITALL), text);
  answer("peek end", recv(fd, text, 20, MSG_PEEK | MSG_WAITALL));
  close(fd);

  fd = peer("parts abcdefgh ijklmnop");
  peek_offset(fd);
  await_octets(fd, 8);
  set_peek_offset(fd, 2);
  peek_offset(fd);
  answer_octets("peek", recv(fd, text, 3, MSG_PEEK), text);
  peek_offset(fd);
  answer_octets("peek", recv(fd, text, 2, MSG_PEEK), text);
  peek_offset(fd);
  answer_octets("recv", recv(fd, text, 4, 0), text);
  peek_offset(fd);
  answer_octets("peek", recv(fd, text, 10, MSG_PEEK), text);
  answer("nothing behind", recv(fd, text, 10, MSG_PEEK | MSG_DONTWAIT));
  send_all(fd, "g", 1);
  answer_octets("waits for what is behind", recv(fd, text, 3, MSG_PEEK), text);
  set_peek_offset(fd, 0);
  answer_octets("from the start", recv(fd, text, 5, MSG_PEEK), text);
  set_peek_offset(fd, -1);
  peek_offset(fd);
  answer_octets("off", recv(fd, text, 2, MSG_PEEK), text);
  answer_octets("off", recv(fd, text, 2, MSG_PEEK), text);
  close(fd);

  fd = tcp_socket(0);
  set_peek_offset(fd, 1);
  must("connect", connect(fd, PEER_SOCKADDR, PEER_LENGTH) == 0);
  peer_script(fd, "say hello");
  peek_offset(fd);
  await_octets(fd, 5);
  answer_octets("set before", recv(fd, text, 2, MSG_PEEK), text);
  peek_offset(fd);
  answer_octets("recv", recv(fd, text, 5, 0), text);
  return 0;
}
