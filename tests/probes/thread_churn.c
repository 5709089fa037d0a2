/* Eight threads connect, echo, duplicate and close at random for 40 rounds each; every echo is
 * right. */
#include "probe.h"

static void* one(void* argument) {
  long good = 0;
  unsigned seed = (unsigned)(long)argument;
  for (int i = 0; i < 40; ++i) {
    char text[64], back[64];
    int length = snprintf(text, sizeof text, "thread %ld round %d", (long)argument, i);
    int nonblocking = rand_r(&seed) % 2, fd = tcp_socket(nonblocking ? SOCK_NONBLOCK : 0);
    if (connect(fd, PEER_SOCKADDR, PEER_LENGTH) != 0) {
      await(fd, POLLOUT);
      if (socket_option(fd, SOL_SOCKET, SO_ERROR) != 0) puts("SO_ERROR odd");
    }
    if (rand_r(&seed) % 2) {
      int other = dup(fd);
      close(fd);
      fd = other;
    }
    peer_script(fd, "echo");
    send_all(fd, text, (size_t)length);
    good += recv_all(fd, back, (size_t)length) == (size_t)length &&
            memcmp(text, back, (size_t)length) == 0;
    close(fd);
  }
  return (void*)good;
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  pthread_t threads[8];
  long good = 0;
  for (long i = 0; i < 8; ++i)
    must("pthread_create", pthread_create(&threads[i], NULL, one, (void*)i) == 0);
  for (int i = 0; i < 8; ++i) {
    void* result;
    pthread_join(threads[i], &result);
    good += (long)result;
  }
  answer("good", good);
  return 0;
}
