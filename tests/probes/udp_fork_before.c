/* A socket that was there before a fork: what one process has sent the other receives the answer
 * to, from the peer. */
#include "datagram.h"

static void child_receives(int bound) {
  int fd = udp_socket(0);
  const struct sockaddr_in any = {.sin_family = AF_INET};
  if (bound) must("bind", bind(fd, (const struct sockaddr*)&any, sizeof any) == 0);
  pid_t child = probe_fork();
  if (child == 0) {
    answer_from("the parent's answer", fd, &peer_address);
    must("sendto", say(fd, "the child's own") == 15);
    answer_from("its own", fd, &peer_address);
    fflush(stdout);
    _exit(0);
  }
  must("sendto", say(fd, "from the parent") == 15);
  must("waitpid", waitpid(child, NULL, 0) == child);
  close(fd);
}

static void parent_receives(int bound) {
  int fd = udp_socket(0);
  const struct sockaddr_in any = {.sin_family = AF_INET};
  if (bound) must("bind", bind(fd, (const struct sockaddr*)&any, sizeof any) == 0);
  int ends[2];
  char octet;
  must("pipe", pipe(ends) == 0);
  pid_t child = probe_fork();
  if (child == 0) {
    close(ends[1]);
    must("sendto", say(fd, "from the child") == 14);
    (void)read(ends[0], &octet, 1);
    _exit(0);
  }
  answer_from("the child's answer", fd, &peer_address);
  close(ends[0]);
  close(ends[1]);
  must("waitpid", waitpid(child, NULL, 0) == child);
  close(fd);
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  for (int bound = 0; bound < 2; ++bound) {
    child_receives(bound);
    parent_receives(bound);
  }
  return 0;
}
