/* MSG_WAITALL gathers parts, across a vector, and stops short at the end of the stream. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = peer("parts hello world again");
  char text[64], first[4], second[16];
  await(fd, POLLIN);
  send_all(fd, "g", 1);
  answer_octets("recv", recv(fd, text, 8, MSG_WAITALL), text);
  struct iovec two[2] = {{first, 3}, {second, 4}};
  struct msghdr message = {.msg_iov = two, .msg_iovlen = 2};
  send_all(fd, "g", 1);
  memset(first, '.', 4);
  memset(second, '.', 16);
  answer("recvmsg", recvmsg(fd, &message, MSG_WAITALL));
  printf("%.4s %.5s\n", first, second);
  send_all(fd, "g", 1);
  answer("recv end", recv(fd, text, 10, MSG_WAITALL));
  close(fd);

  fd = peer("parts hello");
  send_all(fd, "g", 1);
  answer_octets("short", recv(fd, text, 10, MSG_WAITALL), text);
  close(fd);

  fd = peer("say hello");
  await(fd, POLLIN);
  answer_octets("not waiting", recv(fd, text, 10, MSG_WAITALL | MSG_DONTWAIT), text);
  answer("not waiting", recv(fd, text, 10, MSG_WAITALL | MSG_DONTWAIT));
  close(fd);

  static unsigned char all[300000];
  fd = peer("bulk 300000");
  answer("bulk", recv(fd, all, sizeof all, MSG_WAITALL));
  printf("crc %08x\n", crc32_of(0, all, sizeof all));
  return 0;
}
