/* 4 MB through an echo on what was accepted, written and read by turns of poll. */
#include "listener.h"

enum { kTotal = 4 << 20 };

int main(int argc, char** argv) {
  probe_start(argc, argv);
  static unsigned char out[30000], in[10000];
  int listener = listening(0);
  int fd = accept_from("accept", listener, call(listener, "echo"));
  size_t sent = 0, seen = 0, wrong = 0;
  set_nonblocking(fd, 1);
  while (seen < kTotal) {
    int events = await(fd, (short)(POLLIN | (sent < kTotal ? POLLOUT : 0)));
    if (events & POLLOUT && sent < kTotal) {
      size_t size = kTotal - sent < sizeof out ? kTotal - sent : sizeof out;
      fill_pattern(out, sent, size);
      ssize_t n = send(fd, out, size, 0);
      if (n > 0) sent += (size_t)n;
    }
    if (events & POLLIN) {
      ssize_t n = recv(fd, in, sizeof in, 0);
      must("recv", n > 0);
      for (ssize_t i = 0; i < n; ++i) wrong += in[i] != pattern(seen + (size_t)i);
      seen += (size_t)n;
    }
  }
  printf("%zu wrong %zu\n", seen, wrong);
  return 0;
}
