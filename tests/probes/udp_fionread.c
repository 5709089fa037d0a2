/* FIONREAD is the next datagram alone; SIOCOUTQ comes down to 0; SIOCGSTAMP after a datagram. */
#include "datagram.h"

#include <linux/sockios.h>

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = udp_socket(0), there = -1;
  answer("fresh", ioctl(fd, FIONREAD, &there));
  answer("octets", there);
  say(fd, "first");
  await(fd, POLLIN);
  ioctl(fd, FIONREAD, &there);
  answer("octets", there);
  answer_datagram("recv", fd);
  ioctl(fd, FIONREAD, &there);
  answer("octets", there);
  say(fd, "#many 3");
  await(fd, POLLIN);
  ioctl(fd, FIONREAD, &there);
  answer("octets", there);
  for (int i = 0; i < 3; ++i) answer_datagram("recv", fd);
  ioctl(fd, FIONREAD, &there);
  answer("octets", there);
  do ioctl(fd, SIOCOUTQ, &there);
  while (there > 0);
  answer("SIOCOUTQ", there);
  struct timeval stamp;
  answer("SIOCGSTAMP", ioctl(fd, SIOCGSTAMP, &stamp));
  return 0;
}
