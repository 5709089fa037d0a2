/* fdopen on the connection: fgets, fprintf, fread to the end, fileno, fclose. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  char line[64];
  int fd = peer("echo");
  FILE *in = fdopen(fd, "r"), *out = fdopen(dup(fd), "w");
  for (int i = 0; i < 3; ++i) {
    fprintf(out, "line %d\n", i);
    fflush(out);
    if (fgets(line, sizeof line, in)) printf("fgets %s", line);
  }
  answer("fileno", fileno(in) - fd);
  answer("dprintf", dprintf(fd, "printed\n"));
  if (fgets(line, sizeof line, in)) printf("fgets %s", line);
  answer("shutdown", shutdown(fd, SHUT_WR));
  answer("fread", (long)fread(line, 1, sizeof line, in));
  answer("feof", feof(in) != 0);
  answer("fclose", fclose(out));
  answer("fclose", fclose(in));
  answer("recv", recv(fd, line, 1, 0));
  return 0;
}
