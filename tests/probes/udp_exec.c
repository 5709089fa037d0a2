/* The socket kept across an exec of the same program, with a datagram waiting, connected and not.
 */
#include "datagram.h"

#include <spawn.h>

static void used(int fd, int connected) {
  char text[64];
  struct sockaddr_in name = {0};
  socklen_t length = sizeof name;
  answer_octets("waiting", recvfrom(fd, text, sizeof text, 0, (struct sockaddr*)&name, &length),
                text);
  answer("from it", same_address(&name, &peer_address));
  if (connected) {
    answer_peername(fd);
    answer("send", send(fd, "after", 5, 0));
    answer_datagram("recv", fd);
  } else {
    answer_datagram_echo(fd, "after");
  }
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  if (argc > 4) {
    used(atoi(argv[3]), 0);
    used(atoi(argv[4]), 1);
    return 0;
  }
  int plain = udp_socket(0), connected = udp_connected(), status;
  char first[16], second[16];
  say(plain, "kept");
  send(connected, "kept too", 8, 0);
  await(plain, POLLIN);
  await(connected, POLLIN);
  snprintf(first, sizeof first, "%d", plain);
  snprintf(second, sizeof second, "%d", connected);
  char* const arguments[] = {argv[0], argv[1], argv[2], first, second, NULL};
  extern char** environ;
  pid_t child;
  must("posix_spawn", posix_spawn(&child, "/proc/self/exe", NULL, NULL, arguments, environ) == 0);
  waitpid(child, &status, 0);
  printf("spawned %x\n", status);
  say(plain, "kept");
  send(connected, "kept too", 8, 0);
  await(plain, POLLIN);
  await(connected, POLLIN);
  fflush(stdout);
  execv("/proc/self/exe", arguments);
  return 9;
}
