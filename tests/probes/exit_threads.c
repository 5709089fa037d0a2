/* Processes that exit while a thread of theirs uses a connection and others are being made: each
 * ends with its status. */
#include "probe.h"

static int rounds[2];

static void* use(void* argument) {
  char back[1000];
  (void)argument;
  int fd = peer("echo");
  for (;;) {
    send_all(fd, back, sizeof back);
    recv_all(fd, back, sizeof back);
    if (write(rounds[1], "r", 1) != 1) return NULL;
  }
}

static void be_child(int number) {
  char octet;
  pthread_t thread;
  must("pipe", pipe(rounds) == 0);
  must("thread", pthread_create(&thread, NULL, use, NULL) == 0);
  for (int i = 0; i <= number; ++i) must("round", read(rounds[0], &octet, 1) == 1);
  for (int i = 0; i < 8; ++i) {
    int fd = tcp_socket(SOCK_NONBLOCK);
    must("connect", connect(fd, PEER_SOCKADDR, PEER_LENGTH) == 0 || errno == EINPROGRESS);
  }
  for (int i = 0; i <= number; ++i) must("round", read(rounds[0], &octet, 1) == 1);
  exit(number);
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  for (int i = 0; i < 20; ++i) {
    int status;
    pid_t child = probe_fork();
    if (child == 0) be_child(i);
    waitpid(child, &status, 0);
    printf("exited %d status %d\n", WIFEXITED(status),
           WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
  }
  return 0;
}
