/* shutdown by one thread ends the recv of another with EOF. */
#include "probe.h"

static int fd, ends[2];
static ssize_t got = -7;

static void* reader(void* unused) {
  char text[16];
  must("write", write(ends[1], "r", 1) == 1);
  got = recv(fd, text, sizeof text, 0);
  return unused;
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  pthread_t thread = 0;
  char octet;
  fd = peer("discard");
  must("pipe", pipe(ends) == 0 && pthread_create(&thread, NULL, reader, NULL) == 0);
  must("read", read(ends[0], &octet, 1) == 1);
  usleep(50000);
  answer("shutdown", shutdown(fd, SHUT_RD));
  pthread_join(thread, NULL);
  answer("recv", got);
  return 0;
}
