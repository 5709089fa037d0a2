/* The forms of close_range, by number too: CLOSE_RANGE_UNSHARE alone and with CLOEXEC, ranges with
 * holes, an end of file for the peer; and connections that work afterwards. */
#include "probe.h"

#include <linux/close_range.h>
#include <sys/syscall.h>

static void again(const char* what) {
  printf("%s\n", what);
  int fd = peer("echo");
  printf("socket %d\n", fd);
  answer_echo(fd, "hello");
  close(fd);
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  char text[16];
  int first = peer("echo"), second = peer("echo"), third = peer("echo");
  answer("middle", syscall(SYS_close_range, second, second, 0));
  answer("send", send(second, "x", 1, MSG_NOSIGNAL));
  answer_echo(first, "first");
  answer_echo(third, "third");
  again("one");
  answer("unshare", syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_UNSHARE));
  answer("recv", recv(first, text, 16, 0));
  again("all");
  first = peer("echo");
  answer("cloexec", syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC));
  answer("F_GETFD", fcntl(first, F_GETFD));
  answer_echo(first, "still");
  again("cloexec");
  answer("flags", close_range(3, ~0U, 1 << 20));
  answer("closed", close_range(first, first, 0));
  answer("nothing there", close_range(first, ~0U, 0));
  again("end");
  return 0;
}
