/* close while answers are on their way: the next socket of that number sees none of them; a hundred
 * times.
 */
#include "datagram.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int strangers = 0, fd = udp_socket(0);
  char text[64];
  must("sendto", say(fd, "#many 20") > 0);
  for (int i = 0; i < 100; ++i) {
    /* Made before the old one is closed, so that it does not get its port. */
    int next = udp_socket(0);
    struct sockaddr_in any = {.sin_family = AF_INET};
    must("bind", bind(next, (struct sockaddr*)&any, sizeof any) == 0);
    must("dup2", dup2(next, fd) == fd);
    close(next);
    must("sendto", say(fd, "mine") > 0);
    long n = recv(fd, text, sizeof text, 0);
    strangers += n != 4 || memcmp(text, "mine", 4) != 0;
    must("sendto", say(fd, "#many 20") > 0);
  }
  answer("strangers", strangers);
  return 0;
}
