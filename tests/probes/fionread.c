/* FIONREAD counts what can be read, and less after a read; SIOCOUTQ comes down to 0. */
#include "probe.h"

#include <linux/sockios.h>

static void there(int fd) {
  int count = -1;
  answer("FIONREAD", ioctl(fd, FIONREAD, &count));
  printf("there %d\n", count);
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = peer("parts abcdefgh ijkl"), queued = -1;
  char text[16];
  await(fd, POLLIN);
  there(fd);
  answer_octets("recv", recv(fd, text, 3, 0), text);
  there(fd);
  answer_octets("peek", recv(fd, text, 3, MSG_PEEK), text);
  there(fd);
  send_all(fd, "g", 1);
  await_octets(fd, 9);
  there(fd);
  answer_octets("recv", recv(fd, text, 16, 0), text);
  there(fd);
  answer("FIONREAD bad", ioctl(fd, FIONREAD, (int*)8));
  send_all(fd, "g", 1);
  while (ioctl(fd, SIOCOUTQ, &queued) == 0 && queued != 0) usleep(1000);
  answer("SIOCOUTQ", queued);
  answer("recv", recv(fd, text, 16, 0));
  there(fd);
  return 0;
}
