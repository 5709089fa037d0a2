/* Buffers said to be larger than they are: what comes fits, so nobody minds. */
#include <sys/mman.h>

#include "probe.h"

int main(int argc, char** argv) {
  enum { kPage = 4096 };
  probe_start(argc, argv);
  char* pages = mmap(NULL, 4 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  must("munmap", pages != MAP_FAILED && munmap(pages + kPage, 3 * kPage) == 0);
  int fd = peer("echo");
  send_all(fd, "hello", 5);
  await_octets(fd, 5);
  answer_octets("peek", recv(fd, pages, 4 * kPage, MSG_PEEK), pages);
  answer_octets("read", read(fd, pages, 4 * kPage), pages);
  send_all(fd, "vector", 6);
  await_octets(fd, 6);
  struct iovec vectors[] = {{pages, 2}, {pages + kPage - 16, 3 * kPage}};
  answer_octets("readv", readv(fd, vectors, 2), pages);
  answer_octets("behind", 4, pages + kPage - 16);
  answer_echo(fd, "goes on");
  return 0;
}
