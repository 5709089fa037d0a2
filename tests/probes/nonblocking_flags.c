/* FIONBIO and O_NONBLOCK switch the same thing, either way, and EAGAIN follows. */
#include "probe.h"

static void answer_flag(int fd) { answer("O_NONBLOCK", (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0); }

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = peer_open(), on = 1, off = 0;
  char text[16];
  answer_flag(fd);
  answer("FIONBIO", ioctl(fd, FIONBIO, &on));
  answer_flag(fd);
  answer("recv", recv(fd, text, sizeof text, 0));
  answer("read", read(fd, text, sizeof text));
  answer("FIONBIO", ioctl(fd, FIONBIO, &off));
  answer_flag(fd);
  answer("F_SETFL", fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK));
  answer_flag(fd);
  answer("recv", recv(fd, text, sizeof text, 0));
  answer("F_SETFL", fcntl(fd, F_SETFL, O_RDWR));
  answer_flag(fd);
  peer_script(fd, "say hello");
  answer_octets("recv", recv(fd, text, sizeof text, 0), text);
  answer("access mode", fcntl(fd, F_GETFL) & O_ACCMODE);
  return 0;
}
