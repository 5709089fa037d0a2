/* 60 connections in one edge-triggered set, each with 20000 octets. */
#include "probe.h"

enum { kMany = 60 };

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fds[kMany], asked[kMany] = {0}, ended[kMany] = {0}, left = kMany, good = 0,
                  set = epoll_create1(0);
  long totals[kMany] = {0};
  uint32_t crcs[kMany] = {0};
  for (int i = 0; i < kMany; ++i) {
    fds[i] = tcp_socket(SOCK_NONBLOCK);
    epoll_change(set, EPOLL_CTL_ADD, fds[i], EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                 (uint32_t)i);
    if (connect(fds[i], PEER_SOCKADDR, PEER_LENGTH) != -1 || errno != EINPROGRESS)
      puts("connect odd");
  }
  while (left) {
    struct epoll_event events[16];
    int n = epoll_wait(set, events, 16, -1);
    for (int e = 0; e < n; ++e) {
      unsigned char octets[3000];
      int i = (int)events[e].data.u32;
      ssize_t got;
      if (!asked[i] && events[e].events & EPOLLOUT) {
        asked[i] = 1;
        peer_script(fds[i], "send 20000");
      }
      while ((got = recv(fds[i], octets, sizeof octets, 0)) > 0) {
        crcs[i] = crc32_of(crcs[i], octets, (size_t)got);
        totals[i] += got;
      }
      if (got == 0 || errno != EAGAIN) {
        ended[i] = got == 0;
        close(fds[i]);
        --left;
      }
    }
  }
  for (int i = 0; i < kMany; ++i) good += ended[i] && totals[i] == 20000 && crcs[i] == crcs[0];
  answer("good", good);
  printf("crc %08x\n", crcs[0]);
  return 0;
}
