/* A buffer with a hole in its middle: a short count or EFAULT, never a crash, and what was said to
 * be sent arrives whole. */
#include "probe.h"

#include <sys/mman.h>

enum { kPage = 4096, kSize = 16 * kPage };

static unsigned char* hollow(int protection) {
  unsigned char* at = mmap(NULL, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  must("mmap", at != MAP_FAILED);
  fill_pattern(at, 0, kSize);
  if (protection < 0)
    must("munmap", munmap(at + 7 * kPage, kPage) == 0);
  else
    must("mprotect", mprotect(at + 7 * kPage, kPage, protection) == 0);
  return at;
}

static size_t sent;
static uint32_t crc;

static void answer_send(const char* what, ssize_t n, const unsigned char* from) {
  if (n > 7 * kPage)
    printf("%s too much\n", what);
  else if (n < 0)
    printf("%s short or EFAULT%s\n", what, errno == EFAULT ? "" : ": neither");
  else
    printf("%s short or EFAULT\n", what);
  if (n <= 0) return;
  crc = crc32_of(crc, from, (size_t)n);
  sent += (size_t)n;
}

static void answer_recv(const char* what, ssize_t n) {
  printf("%s %s\n", what,
         n == -1 && errno == EFAULT ? "short or EFAULT"
         : n <= 7 * kPage           ? "short or EFAULT"
                                    : "too much");
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  char reply[64] = "";
  unsigned char *none = hollow(PROT_NONE), *gone = hollow(-1), *readable = hollow(PROT_READ);
  int fd = peer("digest");
  answer_send("send", send(fd, none, kSize, 0), none);
  answer_send("write", write(fd, gone, kSize), gone);
  struct iovec two[2] = {{readable, kPage}, {gone + kPage, kSize - kPage}};
  struct msghdr message = {.msg_iov = two, .msg_iovlen = 2};
  ssize_t n = sendmsg(fd, &message, 0);
  answer_send("sendmsg", n, readable); /* all three have the same octets */
  n = send(fd, readable, kSize, 0);
  answer("send readable", n);
  crc = crc32_of(crc, readable, (size_t)n);
  sent += (size_t)n;
  shutdown(fd, SHUT_WR);
  reply[recv_all(fd, reply, sizeof reply - 1)] = 0;
  answer_arrived(reply, sent, crc);
  close(fd);

  unsigned char* holes[] = {none, gone, readable};
  for (int i = 0; i < 3; ++i) {
    fd = peer("bulk 65536");
    await_octets(fd, kSize);
    n = recv(fd, holes[i], kSize, 0);
    answer_recv("recv", n);
    static unsigned char all[kSize];
    size_t have = n > 0 ? (size_t)n : 0;
    memcpy(all, holes[i], have < 7 * kPage ? have : 7 * kPage);
    printf("rest %s\n", recv_all(fd, all + have, kSize - have) == kSize - have ? "all" : "short");
    unsigned char expected[kSize];
    fill_pattern(expected, 0, kSize);
    printf("octets %s\n", memcmp(all, expected, kSize) == 0 ? "right" : "wrong");
    close(fd);
  }
  return 0;
}
