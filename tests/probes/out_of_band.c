/* No urgent octets here: SO_OOBINLINE off, SIOCATMARK, and MSG_OOB with nothing there. */
#include "probe.h"

#include <linux/sockios.h>

int main(int argc, char** argv) {
  probe_start(argc, argv);
  char octet;
  int fd = peer("echo"), mark = -1;
  answer("MSG_OOB", recv(fd, &octet, 1, MSG_OOB));
  answer("SIOCATMARK", ioctl(fd, SIOCATMARK, &mark));
  answer("MSG_ERRQUEUE", recv(fd, &octet, 1, MSG_ERRQUEUE));
  answer_echo(fd, "hello");
  return 0;
}
