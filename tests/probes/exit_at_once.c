/* As exit_unsent, but the peer reads only when the process has gone: ending does not wait for it.
 */
#include "probe.h"

#include <sys/syscall.h>

static void run(const char* how) {
  char reply[64], key[64];
  int ends[2], status;
  struct {
    size_t total;
    uint32_t crc;
  } sent = {0, 0};
  snprintf(key, sizeof key, "%s", fresh_key());
  must("pipe", pipe(ends) == 0);
  pid_t child = probe_fork();
  if (child == 0) {
    int fd = peer_open();
    peer_script(fd, "stash %s", key);
    sent.total = send_until_full(fd, &sent.crc);
    if (write(ends[1], &sent, sizeof sent) != sizeof sent) _exit(9);
    if (how[0] == 'e') exit(5);
    if (how[0] == '_') _exit(5);
    if (how[0] == 'q') quick_exit(5);
    if (how[0] == 'r') syscall(SYS_exit_group, 5);
    _exit(8);
  }
  must("read", read(ends[0], &sent, sizeof sent) == sizeof sent);
  waitpid(child, &status, 0);
  printf("%s status %x\n", how, status);
  peer_release(key);
  peer_ask(reply, sizeof reply, "fetch", key);
  answer_arrived(reply, sent.total, sent.crc);
  close(ends[0]);
  close(ends[1]);
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  run("exit");
  run("_exit");
  run("quick_exit");
  run("raw");
  return 0;
}
