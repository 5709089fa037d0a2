/* Ten connections one after another, each to what getsockname says then; all are open at the end.
 */
#include "listener.h"

enum { kCount = 10 };

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int listener = listening(0), fds[kCount];
  char text[16];
  for (int i = 0; i < kCount; ++i) fds[i] = accept_from("accept", listener, call(listener, "echo"));
  for (int i = kCount - 1; i >= 0; --i) {
    snprintf(text, sizeof text, "connection %d", i);
    answer_echo(fds[i], text);
  }
  return 0;
}
