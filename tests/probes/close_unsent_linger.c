/* The same with a lingering close. */
#include "probe.h"

static char key[64];

static void* releaser(void* unused) {
  peer_release(key);
  return unused;
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  struct linger fifty = {1, 50};
  pthread_t thread;
  char reply[64];
  uint32_t crc;
  snprintf(key, sizeof key, "%s", fresh_key());
  int fd = peer_open();
  peer_script(fd, "stash %s", key);
  size_t total = send_until_full(fd, &crc);
  answer("SO_LINGER", setsockopt(fd, SOL_SOCKET, SO_LINGER, &fifty, sizeof fifty));
  must("pthread_create", pthread_create(&thread, NULL, releaser, NULL) == 0);
  answer("close", close(fd));
  pthread_join(thread, NULL);
  peer_ask(reply, sizeof reply, "fetch", key);
  answer_arrived(reply, total, crc);
  return 0;
}
