/* Both ends of datagrams there and back.
 *
 *   datagrams serve                          says `listening on 127.0.0.1:PORT`; sends back what
 * comes datagrams ping HOST PORT SIZE COUNT      one at a time; prints the median of the round
 * trips in microseconds datagrams rate HOST PORT SIZE COUNT      32 on their way at a time; prints
 * how many came back in a second, and how many did not */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { kWindow = 32, kLargest = 65507, kRoom = 1 << 22 };
static char buffer[kLargest];

static void die(const char* what) {
  perror(what);
  exit(1);
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static int udp_socket(void) {
  const int fd = socket(AF_INET, SOCK_DGRAM, 0), room = kRoom;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
  return fd;
}

static void serve(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  const int fd = udp_socket();
  if (bind(fd, (struct sockaddr*)&address, length) != 0) die("bind");
  if (getsockname(fd, (struct sockaddr*)&address, &length) != 0) die("getsockname");
  printf("listening on 127.0.0.1:%d\n", ntohs(address.sin_port));
  fflush(stdout);
  for (;;) {
    length = sizeof address;
    const ssize_t size =
        recvfrom(fd, buffer, sizeof buffer, 0, (struct sockaddr*)&address, &length);
    if (size >= 0) sendto(fd, buffer, (size_t)size, 0, (struct sockaddr*)&address, length);
  }
}

static int ascending(const void* a, const void* b) {
  const double difference = *(const double*)a - *(const double*)b;
  return (difference > 0) - (difference < 0);
}

/* One datagram there and back; 0 if it was lost. */
static int exchange(int fd, size_t size) {
  if (send(fd, buffer, size, 0) != (ssize_t)size) die("send");
  return recv(fd, buffer, sizeof buffer, 0) == (ssize_t)size;
}

static void ping(int fd, size_t size, int count) {
  double* times = calloc((size_t)count, sizeof *times);
  for (int i = 0; i < count; ++i) {
    const double start = now();
    if (!exchange(fd, size))
      --i;
    else
      times[i] = now() - start;
  }
  qsort(times, (size_t)count, sizeof *times, ascending);
  printf("%.2f\n", 1e6 * times[count / 2]);
  free(times);
}

static void rate(int fd, size_t size, int count) {
  int sent = 0, back = 0, lost = 0;
  const double start = now();
  while (back + lost < count) {
    for (; sent < count && sent - back - lost < kWindow; ++sent)
      if (send(fd, buffer, size, 0) != (ssize_t)size) die("send");
    if (recv(fd, buffer, sizeof buffer, 0) == (ssize_t)size)
      ++back;
    else
      lost = sent - back; /* nothing for the whole timeout: all that were on their way */
  }
  printf("%.0f %d\n", back / (now() - start), lost);
}

int main(int argc, char** argv) {
  if (argc == 2 && strcmp(argv[1], "serve") == 0) serve();
  if (argc != 6) return 2;
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons((unsigned short)atoi(argv[3]))};
  const struct timeval patience = {1, 0};
  const int fd = udp_socket();
  if (inet_pton(AF_INET, argv[2], &address.sin_addr) != 1) return 2;
  if (connect(fd, (struct sockaddr*)&address, sizeof address) != 0) die("connect");
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  const size_t size = strtoul(argv[4], NULL, 10);
  for (int i = 0; i < 20; ++i) exchange(fd, size); /* the association is made, and all is warm */
  (strcmp(argv[1], "ping") == 0 ? ping : rate)(fd, size, atoi(argv[5]));
  return 0;
}
