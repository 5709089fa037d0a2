/* Non-blocking writes until EAGAIN and POLLOUT is gone, then the peer reads: POLLOUT again and
 * nothing lost. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  static unsigned char block[70000];
  char reply[64], key[64];
  size_t total;
  uint32_t crc;
  snprintf(key, sizeof key, "%s", fresh_key());
  int fd = peer_open();
  peer_script(fd, "hold %s", key);
  total = send_until_full(fd, &crc);
  int writable;
  while ((writable = poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, 100)) == 1) {
    uint32_t unused;
    size_t more = send_until_full(fd, &unused); /* restarts the pattern */
    for (size_t done = 0; done < more;) {
      size_t count = more - done < sizeof block ? more - done : sizeof block;
      fill_pattern(block, done, count);
      crc = crc32_of(crc, block, count);
      done += count;
    }
    total += more;
  }
  answer("poll", writable);
  peer_release(key);
  answer_poll("revents", await(fd, POLLOUT));
  set_nonblocking(fd, 1);
  for (int i = 0; i < 50;) {
    size_t done = 0;
    fill_pattern(block, 0, sizeof block);
    while (done < sizeof block) {
      ssize_t n = write(fd, block + done, sizeof block - done);
      if (n < 0)
        await(fd, POLLOUT);
      else
        done += (size_t)n;
    }
    crc = crc32_of(crc, block, sizeof block);
    total += sizeof block;
    ++i;
  }
  shutdown(fd, SHUT_WR);
  reply[recv_all(fd, reply, sizeof reply - 1)] = 0;
  answer_arrived(reply, total, crc);
  return 0;
}
