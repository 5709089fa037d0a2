/* A connected socket as standard input and output of another program. */
#include "datagram.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = udp_connected(), status;
  pid_t child = probe_fork();
  if (child == 0) {
    dup2(fd, 0);
    dup2(fd, 1);
    execl("/bin/sh", "sh", "-c", "printf hello; dd bs=100 count=1 2>/dev/null; exit 3",
          (char*)NULL);
    _exit(9);
  }
  waitpid(child, &status, 0);
  printf("status %x\n", status);
  answer_datagram("the echo of the echo", fd);
  answer("send", send(fd, "on", 2, 0));
  answer_datagram("recv", fd);
  return 0;
}
