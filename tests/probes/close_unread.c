/* Both ends write until neither takes more, then one closes: the other's write ends with a reset.
 */
#include "probe.h"

static int listening;
static int ended_with;

/* The other end: writes without reading until it cannot. */
static void* write_on(void* unused) {
  static char block[65536];
  int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
  ssize_t n;
  while ((n = send(fd, block, sizeof block, MSG_NOSIGNAL)) > 0) {
  }
  ended_with = errno;
  close(fd);
  return unused;
}

static int connect_to_own(void) {
  struct sockaddr_in own = {.sin_family = AF_INET};
  socklen_t length = sizeof own;
  int fd = tcp_socket(0);
  must("getsockname", getsockname(listening, (struct sockaddr*)&own, &length) == 0);
  must("connect", connect(fd, (struct sockaddr*)&own, length) == 0);
  return fd;
}

static void fill(int fd) {
  uint32_t crc;
  await(fd, POLLIN); /* something is unread */
  answer("much", send_until_full(fd, &crc) > 50000);
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  pthread_t other;
  struct sockaddr_in own = {.sin_family = AF_INET};
  own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  listening = tcp_socket(0);
  must("bind", bind(listening, (struct sockaddr*)&own, sizeof own) == 0);
  must("listen", listen(listening, 5) == 0);

  for (int own_process = 0; own_process < 2; ++own_process) {
    fflush(stdout);
    pthread_create(&other, NULL, write_on, NULL);
    pid_t child = own_process ? fork() : 0;
    if (!own_process) {
      int fd = connect_to_own();
      fill(fd);
      answer("close", close(fd));
    } else if (child == 0) { /* the end of a process is no different */
      fill(connect_to_own());
      fflush(stdout);
      _exit(0);
    } else {
      waitpid(child, NULL, 0);
    }
    pthread_join(other, NULL);
    answer("reset", ended_with == ECONNRESET || ended_with == EPIPE);
  }
  return 0;
}
