/* With SA_RESTART recv goes on through signals until octets come; poll does not, nor recv with
 * SO_RCVTIMEO. */
#include "probe.h"

static int go[2];
static char key[64];
static volatile sig_atomic_t ticks;

static void tick(int number) {
  (void)number;
  if (++ticks == 8 && write(go[1], "g", 1) != 1) ticks = 1000;
}

static void* releaser(void* unused) {
  char octet;
  while (read(go[0], &octet, 1) != 1) {
  }
  peer_release(key);
  return unused;
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  char text[16];
  sigset_t ticking;
  pthread_t thread;
  struct pollfd p = {.events = POLLIN};
  struct timeval limit = {10, 0};
  snprintf(key, sizeof key, "%s", fresh_key());
  must("pipe", pipe(go) == 0);
  int fd = peer_open();
  peer_script(fd, "on %s hello", key);
  sigemptyset(&ticking);
  sigaddset(&ticking, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &ticking, NULL);
  must("pthread_create", pthread_create(&thread, NULL, releaser, NULL) == 0);
  start_ticks(tick, SA_RESTART);
  pthread_sigmask(SIG_UNBLOCK, &ticking, NULL);
  answer_octets("recv", recv(fd, text, 16, 0), text);
  puts(ticks >= 8 ? "through signals" : "no signals");
  pthread_join(thread, NULL);
  p.fd = fd;
  answer("poll", poll(&p, 1, -1));
  answer("SO_RCVTIMEO", setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit));
  answer("recv", recv(fd, text, 16, 0));
  return 0;
}
