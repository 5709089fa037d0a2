/* 2000 questions of 10 octets, each answered before the next. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = peer("acks 10"), good = 0;
  for (int i = 0; i < 2000; ++i) {
    char reply = 0;
    if (write(fd, "0123456789", 10) != 10) puts("write odd");
    good += read(fd, &reply, 1) == 1 && reply == '+';
  }
  answer("good", good);
  return 0;
}
