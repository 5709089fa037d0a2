/* system, popen and vfork with exec beside a live connection that is not close-on-exec. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  char text[32] = "";
  int fd = peer("echo"), status;
  answer("system", system("exit 3"));
  answer_echo(fd, "hello");
  FILE* stream = popen("echo from child", "r");
  if (!stream || !fgets(text, sizeof text, stream)) puts("popen odd");
  printf("popen %s", text);
  answer("pclose", pclose(stream));
  answer_echo(fd, "again");
  pid_t child = vfork();
  if (child == 0) {
    execlp("true", "true", (char*)NULL);
    _exit(9);
  }
  waitpid(child, &status, 0);
  answer("vfork", status);
  answer_echo(fd, "last");
  return 0;
}
