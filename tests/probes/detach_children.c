/* Five children share one connection at the same time, each with octets of its own. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  enum { kChildren = 5, kEach = 2000 };
  char block[100];
  int fd = peer("digest"), status, bad = 0;
  for (int i = 0; i < kChildren; ++i) {
    if (probe_fork() != 0) continue;
    memset(block, 'a', sizeof block);
    for (int k = 0; k < kEach; ++k) send_all(fd, block, sizeof block);
    _exit(0);
  }
  for (int i = 0; i < kChildren; ++i) bad += wait(&status) < 0 || status != 0;
  answer("bad", bad);
  answer("no child left", wait(NULL));
  answer("shutdown", shutdown(fd, SHUT_WR));
  char text[64];
  answer_octets("digest", recv(fd, text, sizeof text, MSG_WAITALL), text);
  return 0;
}
