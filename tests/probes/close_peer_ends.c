/* close and exit, also after shutdown, with everything unsent; then the peer ends its direction,
 * and reads: it gets every octet. */
#include "probe.h"

static void run(const char* how) {
  char reply[64], key[64], end[64], go[64];
  int ends[2], status;
  struct {
    size_t total;
    uint32_t crc;
  } sent = {0, 0};
  snprintf(key, sizeof key, "%s", fresh_key());
  snprintf(end, sizeof end, "%s", fresh_key());
  snprintf(go, sizeof go, "%s", fresh_key());
  must("pipe", pipe(ends) == 0);
  pid_t child = probe_fork();
  if (child == 0) {
    int fd = peer_open();
    peer_script(fd, "half-close %s %s %s", key, end, go);
    sent.total = send_until_full(fd, &sent.crc);
    if (strstr(how, "shutdown")) must("shutdown", shutdown(fd, SHUT_WR) == 0);
    if (!strstr(how, "exit")) must("close", close(fd) == 0);
    if (write(ends[1], &sent, sizeof sent) != sizeof sent) _exit(9);
    if (strstr(how, "exit")) exit(5);
    alarm(60);
    pause(); /* until it is killed: the service goes on */
  }
  must("read", read(ends[0], &sent, sizeof sent) == sizeof sent);
  if (strstr(how, "exit")) waitpid(child, &status, 0);
  peer_release(end);
  peer_release(go);
  peer_ask(reply, sizeof reply, "fetch", key);
  printf("%s\n", how);
  answer_arrived(reply, sent.total, sent.crc);
  if (!strstr(how, "exit")) {
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
  }
  close(ends[0]);
  close(ends[1]);
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  run("close");
  run("shutdown and close");
  run("exit");
  run("shutdown and exit");
  return 0;
}
