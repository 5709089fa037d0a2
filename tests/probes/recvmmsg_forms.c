/* recvmmsg: MSG_WAITFORONE, a timeout that has passed, a bad one, no messages, bad pointers, the
 * end. */
#include "probe.h"

static struct mmsghdr several[4];
static struct iovec pieces[4];
static char texts[4][3];

static void prepare(void) {
  memset(several, 0, sizeof several);
  for (int i = 0; i < 4; ++i) {
    pieces[i] = (struct iovec){texts[i], 2};
    several[i].msg_hdr.msg_iov = &pieces[i];
    several[i].msg_hdr.msg_iovlen = 1;
  }
}

static void receive(const char* what, int fd, unsigned count, int flags, struct timespec* timeout) {
  prepare();
  int n = (int)answer(what, recvmmsg(fd, several, count, flags, timeout));
  for (int i = 0; i < n; ++i)
    printf(" %u %.*s\n", several[i].msg_len, (int)several[i].msg_len, texts[i]);
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = peer("parts abcdefghijkl mnopqrst uv");
  struct timespec passed = {0, 0}, bad = {0, 1000000000}, negative = {-1, 0}, enough = {1000, 0};
  await_octets(fd, 12);
  receive("timeout passed", fd, 4, 0, &passed);
  printf("left %ld %ld\n", (long)passed.tv_sec, passed.tv_nsec);
  receive("timeout bad", fd, 4, 0, &bad);
  receive("timeout negative", fd, 4, 0, &negative);
  receive("timeout ahead", fd, 2, 0, &enough);
  printf("left %s\n", enough.tv_sec < 1000 && enough.tv_sec > 900 ? "less" : "as much");
  receive("none", fd, 0, 0, NULL);
  receive("wait for one", fd, 4, MSG_WAITFORONE, NULL);
  receive("nothing", fd, 4, MSG_DONTWAIT, NULL);
  send_all(fd, "g", 1);
  receive("wait for one", fd, 2, MSG_WAITFORONE, NULL);
  prepare();
  several[1].msg_hdr.msg_iov = (struct iovec*)8;
  answer("second bad", recvmmsg(fd, several, 2, MSG_DONTWAIT, NULL));
  answer("all bad", recvmmsg(fd, (struct mmsghdr*)8, 2, MSG_DONTWAIT, NULL));
  prepare();
  answer("timeout pointer", recvmmsg(fd, several, 1, MSG_DONTWAIT, (struct timespec*)8));
  receive("rest", fd, 1, 0, NULL);
  send_all(fd, "gg", 2);
  receive("to the end", fd, 4, 0, NULL);
  return 0;
}
