/* One socket, sixteen destinations by turns and at once: each answer has the address it was sent
 * to. */
#include "datagram.h"

enum { kCount = 16 };

int main(int argc, char** argv) {
  probe_start(argc, argv);
  struct sockaddr_in to[kCount], name;
  int fd = udp_socket(0), right = 0, seen[kCount] = {0};
  char text[32], back[32];
  peer_addresses(to, kCount);
  for (int round = 0; round < 5; ++round)
    for (int i = 0; i < kCount; ++i) {
      snprintf(text, sizeof text, "%d to %d", round, i);
      must("sendto",
           sendto(fd, text, strlen(text) + 1, 0, (struct sockaddr*)&to[i], sizeof *to) > 0);
      socklen_t length = sizeof name;
      must("recvfrom", recvfrom(fd, back, sizeof back, 0, (struct sockaddr*)&name, &length) > 0);
      right += same_address(&name, &to[i]) && strcmp(text, back) == 0;
    }
  answer("by turns", right);
  for (int i = 0; i < kCount; ++i) {
    char octet = (char)i;
    must("sendto", sendto(fd, &octet, 1, 0, (struct sockaddr*)&to[i], sizeof *to) == 1);
  }
  for (int i = 0; i < kCount; ++i) {
    char octet = -1;
    socklen_t length = sizeof name;
    must("recvfrom", recvfrom(fd, &octet, 1, 0, (struct sockaddr*)&name, &length) == 1);
    if (octet >= 0 && octet < kCount && same_address(&name, &to[(int)octet])) seen[(int)octet]++;
  }
  right = 0;
  for (int i = 0; i < kCount; ++i) right += seen[i] == 1;
  answer("at once", right);
  return 0;
}
