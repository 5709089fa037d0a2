/* getpeername and getsockname into short, long, missing and bad buffers. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = peer("echo");
  struct sockaddr_storage name;
  struct sockaddr_in* in = (struct sockaddr_in*)&name;
  socklen_t length = 4;
  memset(&name, 0xEE, sizeof name);
  answer("getpeername short", getpeername(fd, (struct sockaddr*)&name, &length));
  printf("length %u port %d address %s\n", length, ntohs(in->sin_port) == peer_port,
         in->sin_addr.s_addr == 0xEEEEEEEEu ? "untouched" : "written");
  length = sizeof name;
  answer("getpeername long", getpeername(fd, (struct sockaddr*)&name, &length));
  printf("length %u\n", length);
  length = 0;
  answer("getpeername none", getpeername(fd, (struct sockaddr*)&name, &length));
  printf("length %u\n", length);
  length = (socklen_t)-1;
  answer("getpeername negative", getpeername(fd, (struct sockaddr*)&name, &length));
  length = sizeof name;
  answer("getpeername bad", getpeername(fd, (struct sockaddr*)8, &length));
  answer("getpeername bad length", getpeername(fd, (struct sockaddr*)&name, (socklen_t*)8));
  length = 4;
  answer("getsockname short", getsockname(fd, (struct sockaddr*)&name, &length));
  printf("length %u\n", length);
  answer_echo(fd, "hello");
  return 0;
}
