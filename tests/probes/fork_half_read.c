/* fork with octets half read: the child has the rest, in order. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  char text[32];
  int fd = peer("parts abcdefghij klm");
  await_octets(fd, 10);
  answer_octets("parent", recv(fd, text, 3, 0), text);
  pid_t child = probe_fork();
  if (child == 0) {
    answer_octets("child", recv(fd, text, 3, 0), text);
    answer_octets("child", recv(fd, text, 32, 0), text);
    send_all(fd, "g", 1);
    answer_octets("child", recv(fd, text, 32, 0), text);
    exit(0);
  }
  waitpid(child, NULL, 0);
  return 0;
}
