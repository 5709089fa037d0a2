/* A connected socket: send, write, writev, sendto with and without the address; recv, read, readv,
 * recvfrom. */
#include "datagram.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = udp_connected();
  char text[64], first[3], second[32];
  struct iovec out[2] = {{"one ", 4}, {"two", 3}}, in[2] = {{first, 3}, {second, 32}};
  answer_peername(fd);
  answer("send", send(fd, "by send", 7, 0));
  answer_octets("recv", recv(fd, text, sizeof text, 0), text);
  answer("write", write(fd, "by write", 8));
  answer_octets("read", read(fd, text, sizeof text), text);
  answer("writev", writev(fd, out, 2));
  long n = readv(fd, in, 2);
  answer("readv", n);
  printf("%.3s|%.*s\n", first, (int)(n - 3), second);
  answer("sendto none", sendto(fd, "none", 4, 0, NULL, 0));
  answer_from("recvfrom", fd, &peer_address);
  answer("sendto same", say(fd, "same"));
  answer_from("recvfrom", fd, &peer_address);
  answer_peername(fd);
  return 0;
}
