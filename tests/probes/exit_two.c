/* A process ends with octets unsent on two connections: one peer gets every octet and the end while
 * the other does not read. */
#include "probe.h"

static void run(int first) {
  char reply[64], keys[2][64];
  int ends[2], status;
  struct {
    size_t total;
    uint32_t crc;
  } sent[2] = {{0, 0}, {0, 0}};
  for (int i = 0; i < 2; ++i) snprintf(keys[i], sizeof keys[i], "%s", fresh_key());
  must("pipe", pipe(ends) == 0);
  pid_t child = probe_fork();
  if (child == 0) {
    for (int i = 0; i < 2; ++i) {
      int fd = peer_open();
      peer_script(fd, "stash %s", keys[i]);
      sent[i].total = send_until_full(fd, &sent[i].crc);
    }
    if (write(ends[1], sent, sizeof sent) != sizeof sent) _exit(9);
    exit(5);
  }
  must("read", read(ends[0], sent, sizeof sent) == sizeof sent);
  waitpid(child, &status, 0);
  printf("status %x\n", status);
  for (int i = 0; i < 2; ++i) {
    int which = i ^ first;
    peer_release(keys[which]);
    peer_ask(reply, sizeof reply, "fetch", keys[which]);
    answer_arrived(reply, sent[which].total, sent[which].crc);
  }
  close(ends[0]);
  close(ends[1]);
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  run(0);
  run(1);
  return 0;
}
