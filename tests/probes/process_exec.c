/* The connection kept across an exec of the same program, with octets half read. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  char text[32];
  if (argc > 3) {
    int fd = atoi(argv[3]);
    answer_octets("after", recv(fd, text, 16, 0), text);
    answer_peername(fd);
    send_all(fd, "g", 1);
    answer_octets("after", recv(fd, text, 16, 0), text);
    return 0;
  }
  int fd = peer("parts abcdefgh ijk");
  await_octets(fd, 8);
  answer_octets("before", recv(fd, text, 3, 0), text);
  snprintf(text, sizeof text, "%d", fd);
  fflush(stdout);
  execl("/proc/self/exe", argv[0], argv[1], argv[2], text, (char*)NULL);
  return 9;
}
