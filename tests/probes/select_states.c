/* select and pselect over a connection, for reading, writing and exceptions, with a second
 * descriptor. */
#include "probe.h"

static void look(int fd, int other, int wait) {
  fd_set readable, writable, special;
  struct timeval at_once = {0, 0};
  struct timespec at_once_too = {0, 0};
  for (int i = 0; i < 2; ++i) {
    FD_ZERO(&readable);
    FD_SET(fd, &readable);
    special = writable = readable;
    FD_SET(other, &readable);
    int highest = fd > other ? fd : other;
    if (i == 0 && wait) {
      fd_set only = readable;
      select(highest + 1, &only, NULL, NULL, NULL);
    }
    if (i == 0)
      answer("select", select(highest + 1, &readable, &writable, &special, &at_once));
    else
      answer("pselect", pselect(highest + 1, &readable, &writable, &special, &at_once_too, NULL));
    printf("r %d w %d x %d other %d\n", FD_ISSET(fd, &readable) != 0, FD_ISSET(fd, &writable) != 0,
           FD_ISSET(fd, &special) != 0, FD_ISSET(other, &readable) != 0);
  }
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int ends[2], fd = peer_open();
  char text[16];
  must("pipe", pipe(ends) == 0);
  look(fd, ends[0], 0);
  peer_script(fd, "parts hello world");
  look(fd, ends[0], 1);
  answer_octets("recv", recv(fd, text, 2, 0), text);
  must("write", write(ends[1], "x", 1) == 1);
  look(fd, ends[0], 0);
  answer_octets("recv", recv(fd, text, 16, 0), text);
  look(fd, ends[0], 0);
  must("read", read(ends[0], text, 16) == 1);
  send_all(fd, "gg", 2);
  await_octets(fd, 5);
  answer_octets("recv", recv(fd, text, 16, 0), text);
  look(fd, ends[0], 1);
  return 0;
}
