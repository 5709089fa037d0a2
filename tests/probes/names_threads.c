/* 16 threads resolve and connect at once. */
#include "probe.h"

#include <netdb.h>

static void* one(void* argument) {
  struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *list = NULL;
  char port[16], back[8];
  long good = 0;
  (void)argument;
  snprintf(port, sizeof port, "%d", peer_port);
  for (int i = 0; i < 5; ++i) {
    if (getaddrinfo("localhost", port, &hints, &list) != 0) continue;
    int fd = tcp_socket(0);
    if (connect(fd, list->ai_addr, list->ai_addrlen) == 0) {
      peer_script(fd, "echo");
      send_all(fd, "hello", 5);
      good += recv_all(fd, back, 5) == 5 && memcmp(back, "hello", 5) == 0;
    }
    close(fd);
    freeaddrinfo(list);
  }
  return (void*)good;
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  pthread_t threads[16];
  long good = 0;
  for (long i = 0; i < 16; ++i)
    must("pthread_create", pthread_create(&threads[i], NULL, one, NULL) == 0);
  for (int i = 0; i < 16; ++i) {
    void* result;
    pthread_join(threads[i], &result);
    good += (long)result;
  }
  answer("good", good);
  return 0;
}
