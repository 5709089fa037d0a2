/* One blocking write of 8 MB returns 8 MB, and the peer has it all. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  static unsigned char all[8000000];
  char reply[64];
  int fd = peer("digest");
  fill_pattern(all, 0, sizeof all);
  answer("write", write(fd, all, sizeof all));
  answer("shutdown", shutdown(fd, SHUT_WR));
  reply[recv_all(fd, reply, sizeof reply - 1)] = 0;
  answer_arrived(reply, sizeof all, crc32_of(0, all, sizeof all));
  return 0;
}
