/* A child program with the connection as its standard input and output. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  char text[16];
  int fd = peer("parts hello world"), ends[2];
  await(fd, POLLIN);
  must("pipe", pipe(ends) == 0);
  pid_t child = probe_fork();
  if (child == 0) {
    dup2(fd, 0);
    dup2(ends[1], 1);
    close_range(3, ~0U, 0);
    execlp("head", "head", "-c", "5", (char*)NULL);
    _exit(9);
  }
  close(ends[1]);
  answer_octets("child read", read(ends[0], text, 5), text);
  int status;
  waitpid(child, &status, 0);
  answer("status", status);
  child = probe_fork();
  if (child == 0) {
    dup2(fd, 1);
    execlp("printf", "printf", "g", (char*)NULL);
    _exit(9);
  }
  waitpid(child, &status, 0);
  answer("status", status);
  answer_octets("recv", recv(fd, text, 16, 0), text);
  return 0;
}
