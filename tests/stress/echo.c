/* The origin: everything back, then FIN for FIN. Says where it listens. */
#include <netinet/tcp.h>

#include "stress.h"

static void* echo(void* argument) {
  const int fd = (int)(intptr_t)argument, on = 1;
  char block[1 << 16];
  ssize_t came, sent = 0;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  while (sent >= 0 && (came = recv(fd, block, sizeof block, 0)) > 0) {
    for (ssize_t done = 0; done < came && sent >= 0; done += sent) {
      sent = send(fd, block + done, (size_t)(came - done), MSG_NOSIGNAL);
    }
  }
  shutdown(fd, SHUT_WR);
  close(fd);
  return NULL;
}

int serve_echo(void) {
  struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof name;
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(listener, (struct sockaddr*)&name, sizeof name) != 0 || listen(listener, 1024) != 0)
    return 1;
  getsockname(listener, (struct sockaddr*)&name, &length);
  printf("listening on 127.0.0.1:%d\n", ntohs(name.sin_port));
  fflush(stdout);
  pthread_attr_t detached;
  pthread_attr_init(&detached);
  pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&detached, 1 << 18);
  for (;;) {
    const int fd = accept(listener, NULL, NULL);
    pthread_t thread;
    if (fd < 0 && errno != ECONNABORTED && errno != EINTR) return 1;
    if (fd >= 0 && pthread_create(&thread, &detached, &echo, (void*)(intptr_t)fd) != 0) close(fd);
  }
}
