/* As active FTP does it: a connection to the peer, a listener at the address that has, the peer
 * connects and sends a file; three times. */
#include "listener.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  static unsigned char octets[200001];
  int control = peer("echo");
  for (int i = 0; i < 3; ++i) {
    struct sockaddr_in at = name_of(control);
    int listener = tcp_socket(SOCK_CLOEXEC), on = 1;
    at.sin_port = 0;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    answer("bind", bind(listener, (struct sockaddr*)&at, sizeof at));
    answer("listen", listen(listener, 1));
    answer_echo(control, "PORT");
    int fd = accept_from("accept", listener, call(listener, "send 200000"));
    close(listener);
    size_t n = recv_all(fd, octets, sizeof octets);
    uint32_t crc = crc32_of(0, octets, n);
    fill_pattern(octets, 0, n);
    printf("%zu %s\n", n, crc == crc32_of(0, octets, n) ? "right" : "wrong");
    close(fd);
    answer_echo(control, "226");
  }
  return 0;
}
