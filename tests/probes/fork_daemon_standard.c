/* daemon(3), then 0 to 2 closed and used for a pipe and sockets, as daemons do: the numbers are the
 * lowest, and nobody else writes there. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int result[2], input[2], epoll = epoll_create1(EPOLL_CLOEXEC);
  char text[64];
  int fd = peer("echo");
  answer_echo(fd, "before");
  must("pipe", pipe(result) == 0);
  if (probe_fork() == 0) {
    must("daemon", daemon(1, 0) == 0);
    alarm(60);
    FILE* told = fdopen(result[1], "w");
    setvbuf(told, NULL, _IOLBF, 0);
    for (int i = 0; i < 3; ++i) close(i);
    fprintf(told, "pipe %d\n", pipe(input));
    fprintf(told, "ends %d %d\n", input[0], input[1]);
    int own = tcp_socket(SOCK_NONBLOCK);
    struct epoll_event event = {.events = EPOLLOUT, .data.fd = own};
    fprintf(told, "socket %d, connect %d", own, connect(own, PEER_SOCKADDR, PEER_LENGTH));
    fprintf(told, " %s\n", errno_name(errno));
    epoll_ctl(epoll, EPOLL_CTL_ADD, own, &event);
    fprintf(told, "epoll %d\n", epoll_wait(epoll, &event, 1, -1));
    fprintf(told, "SO_ERROR %ld\n", (long)socket_option(own, SOL_SOCKET, SO_ERROR));
    send_all(own, "say hello\n", 10);
    await(own, POLLIN);
    ssize_t n = recv(own, text, 5, 0);
    fprintf(told, "recv %zd %.5s\n", n, text);
    close(input[1]);
    fprintf(told, "pipe read %zd\n", read(input[0], text, sizeof text));
    fclose(told);
    _exit(0);
  }
  waitpid(-1, NULL, 0);
  close(result[1]);
  FILE* told = fdopen(result[0], "r");
  while (fgets(text, sizeof text, told)) fputs(text, stdout);
  answer_echo(fd, "after");
  return 0;
}
