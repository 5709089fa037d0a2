/* Both ends of a bulk transfer.
 *
 *   pump serve                        says `listening on 127.0.0.1:PORT`; serves one connection after another
 *   pump down|up HOST PORT OCTETS     fetches or sends so much; prints the seconds from request to answer
 *
 * A request is `d` or `u` and the count in 16 hex digits. An upload is answered with one octet. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { kRequest = 17, kBuffer = 1 << 18 };
static char buffer[kBuffer];

static void die(const char* what) {
  perror(what);
  exit(1);
}

static void send_octets(int fd, unsigned long long count) {
  while (count > 0) {
    const ssize_t sent = write(fd, buffer, count < kBuffer ? count : kBuffer);
    if (sent <= 0) die("write");
    count -= (unsigned long long)sent;
  }
}

static void receive_octets(int fd, unsigned long long count) {
  while (count > 0) {
    const ssize_t received = read(fd, buffer, count < kBuffer ? count : kBuffer);
    if (received <= 0) die("read");
    count -= (unsigned long long)received;
  }
}

static int serve(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(listener, (struct sockaddr*)&address, length) != 0 || listen(listener, 8) != 0) die("listen");
  if (getsockname(listener, (struct sockaddr*)&address, &length) != 0) die("getsockname");
  printf("listening on 127.0.0.1:%d\n", ntohs(address.sin_port));
  fflush(stdout);
  for (;;) {
    const int fd = accept(listener, NULL, NULL);
    if (fd < 0) die("accept");
    char request[kRequest + 1] = {0};
    if (recv(fd, request, kRequest, MSG_WAITALL) == kRequest) {
      const unsigned long long count = strtoull(request + 1, NULL, 16);
      if (request[0] == 'd') {
        send_octets(fd, count);
      } else {
        receive_octets(fd, count);
        send_octets(fd, 1);
      }
    }
    close(fd);
  }
}

static int transfer(char way, const char* host, const char* port, const char* octets) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(port))};
  if (inet_pton(AF_INET, host, &address.sin_addr) != 1) return 2;
  const unsigned long long count = strtoull(octets, NULL, 10);
  char request[kRequest + 1];
  snprintf(request, sizeof request, "%c%016llx", way, count);
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(fd, (struct sockaddr*)&address, sizeof address) != 0) die("connect");
  struct timespec start, end;
  clock_gettime(CLOCK_MONOTONIC, &start);
  if (write(fd, request, kRequest) != kRequest) die("request");
  if (way == 'd') {
    receive_octets(fd, count);
  } else {
    send_octets(fd, count);
    receive_octets(fd, 1);
  }
  clock_gettime(CLOCK_MONOTONIC, &end);
  printf("%.6f\n", (double)(end.tv_sec - start.tv_sec) + 1e-9 * (double)(end.tv_nsec - start.tv_nsec));
  return 0;
}

int main(int argc, char** argv) {
  if (argc == 2 && strcmp(argv[1], "serve") == 0) return serve();
  if (argc == 5) return transfer(argv[1][0], argv[2], argv[3], argv[4]);
  return 2;
}
