/* A duplicate of a listener accepts when the first is closed; the listener kept across an exec. */
#include "listener.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  if (argc > 3) {
    int listener = atoi(argv[3]);
    answer_echo(accept_from("accept", listener, call(listener, "echo")), "executed");
    return 0;
  }
  int listener = listening(0), other = dup(listener);
  answer_echo(accept_from("accept", other, call(listener, "echo")), "first");
  close(listener);
  answer_echo(accept_from("accept", other, call(other, "echo")), "second");
  char number[16];
  snprintf(number, sizeof number, "%d", other);
  fflush(stdout);
  execl("/proc/self/exe", argv[0], argv[1], argv[2], number, (char*)NULL);
  return 9;
}
