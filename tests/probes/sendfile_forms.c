/* sendfile: offsets good and bad, what cannot be a source, a socket that is full, and no
 * cancellation in it. */
#include "probe.h"

#include <sys/sendfile.h>

static int fd, plain, ready[2], came_out;

static void* sender(void* unused) {
  off_t from = 0;
  size_t total = 0;
  must("write", write(ready[1], "r", 1) == 1);
  while (total < (16 << 20)) {
    from = 0;
    ssize_t n = sendfile(fd, plain, &from, 1 << 20);
    if (n <= 0) break;
    total += (size_t)n;
  }
  came_out = total >= (16 << 20);
  pthread_testcancel();
  return unused;
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  static unsigned char all[1 << 20];
  char key[64], octet;
  int ends[2];
  FILE* file = tmpfile();
  must("tmpfile", file != NULL && pipe(ends) == 0 && pipe(ready) == 0);
  plain = fileno(file);
  fill_pattern(all, 0, sizeof all);
  must("write", write(plain, all, sizeof all) == sizeof all && write(ends[1], "abc", 3) == 3);
  fd = peer("digest");
  off_t from = -1;
  answer("negative offset", sendfile(fd, plain, &from, 10));
  answer("bad offset", sendfile(fd, plain, (off_t*)8, 10));
  from = sizeof all;
  answer("at the end", sendfile(fd, plain, &from, 10));
  answer("nothing", sendfile(fd, plain, NULL, 0));
  answer("no source", sendfile(fd, -1, NULL, 10));
  answer("socket source", sendfile(plain, fd, NULL, 10));
  answer("directory", sendfile(fd, open("/", O_RDONLY), NULL, 10));
  answer("write-only", sendfile(fd, open("/dev/null", O_WRONLY), NULL, 10));
  must("lseek", lseek(plain, 100, SEEK_SET) == 100);
  from = 3;
  answer("with an offset", sendfile(fd, plain, &from, 7));
  printf("offset %ld position %ld\n", (long)from, (long)lseek(plain, 0, SEEK_CUR));
  answer("without", sendfile(fd, plain, NULL, 5));
  printf("position %ld\n", (long)lseek(plain, 0, SEEK_CUR));
  shutdown(fd, SHUT_WR);
  char reply[64] = "";
  reply[recv_all(fd, reply, sizeof reply - 1)] = 0;
  answer_arrived(reply, 12, crc32_of(crc32_of(0, all + 3, 7), all + 100, 5));
  answer("after shutdown", (signal(SIGPIPE, SIG_IGN), sendfile(fd, plain, NULL, 5)));
  close(fd);

  snprintf(key, sizeof key, "%s", fresh_key());
  fd = peer_open();
  peer_script(fd, "stash %s", key);
  set_nonblocking(fd, 1);
  size_t total = 0;
  uint32_t crc = 0;
  for (;;) {
    from = 0;
    ssize_t n = sendfile(fd, plain, &from, sizeof all);
    if (n < 0) {
      answer("full", n);
      break;
    }
    if (from != n) printf("offset %ld after %ld\n", (long)from, (long)n);
    crc = crc32_of(crc, all, (size_t)n);
    total += (size_t)n;
  }
  answer("some", total > 0);
  printf("offset %ld\n", (long)from);
  close(fd);
  peer_release(key);
  peer_ask(reply, sizeof reply, "fetch", key);
  answer_arrived(reply, total, crc);

  pthread_t thread;
  void* result = NULL;
  snprintf(key, sizeof key, "%s", fresh_key());
  fd = peer_open();
  peer_script(fd, "stash %s", key);
  must("pthread_create", pthread_create(&thread, NULL, sender, NULL) == 0);
  must("read", read(ready[0], &octet, 1) == 1);
  usleep(20000); /* most often it waits by now; the answers are the same if not */
  pthread_cancel(thread);
  peer_release(key);
  pthread_join(thread, &result);
  printf("cancelled %d after the last %d\n", result == PTHREAD_CANCELED, came_out);
  return 0;
}
