/* A process that ends by abort with everything unsent: the peer gets every octet. */
#include "probe.h"

#include <sys/resource.h>

int main(int argc, char** argv) {
  probe_start(argc, argv);
  struct rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  char key[64], reply[64];
  int ends[2], status;
  size_t total;
  uint32_t crc;
  must("pipe", pipe(ends) == 0);
  snprintf(key, sizeof key, "%s", fresh_key());
  pid_t child = probe_fork();
  if (child == 0) {
    int fd = peer_open();
    peer_script(fd, "stash %s", key);
    total = send_until_full(fd, &crc);
    must("write", write(ends[1], &total, sizeof total) == sizeof total &&
                      write(ends[1], &crc, sizeof crc) == sizeof crc);
    abort();
  }
  must("read", read(ends[0], &total, sizeof total) == sizeof total &&
                   read(ends[0], &crc, sizeof crc) == sizeof crc);
  waitpid(child, &status, 0);
  printf("signal %s\n", WIFSIGNALED(status) ? sigabbrev_np(WTERMSIG(status)) : "none");
  peer_release(key);
  peer_ask(reply, sizeof reply, "fetch", key);
  answer_arrived(reply, total, crc);
  return 0;
}
