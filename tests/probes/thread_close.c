/* close by one thread while another is blocked in recv: the recv still gets what comes; the number
 * is free at once. */
#include "probe.h"

static int fd, ends[2];

static void* reader(void* unused) {
  char text[16];
  const pid_t self = gettid();
  must("write", write(ends[1], &self, sizeof self) == sizeof self);
  answer_octets("recv", recv(fd, text, sizeof text, 0), text);
  return unused;
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  pthread_t thread;
  char key[64];
  pid_t tid;
  snprintf(key, sizeof key, "%s", fresh_key());
  must("pipe", pipe(ends) == 0);
  fd = peer_open();
  peer_script(fd, "on %s hello", key);
  must("pthread_create", pthread_create(&thread, NULL, reader, NULL) == 0);
  must("read", read(ends[0], &tid, sizeof tid) == sizeof tid);
  await_waiting(tid);
  answer("close", close(fd));
  answer("close again", close(fd));
  answer("number", open("/dev/null", O_RDONLY) - fd);
  peer_release(key);
  pthread_join(thread, NULL);
  return 0;
}
