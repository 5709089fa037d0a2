/* As exit_self, but the peer ends its direction when the process has all but gone: by then it has
 * let go of its connections, and the descriptor is still open. */
#include "probe.h"

static int connection, gate[2];

/* exit() has flushed all streams when everybody else has been told of it. */
static ssize_t flushed_last(void* cookie, const char* octets, size_t count) {
  struct tcp_info info;
  socklen_t size;
  (void)cookie, (void)octets;
  must("write", write(gate[1], "o", 1) == 1);
  do {
    usleep(1000);
    size = sizeof info;
    must("TCP_INFO", getsockopt(connection, IPPROTO_TCP, TCP_INFO, &info, &size) == 0);
  } while (info.tcpi_state == TCP_ESTABLISHED || info.tcpi_state == TCP_FIN_WAIT1 ||
           info.tcpi_state == TCP_FIN_WAIT2);
  return (ssize_t)count;
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  static unsigned char octets[20000];
  char reply[64], key[64], release[64];
  snprintf(key, sizeof key, "%s", fresh_key());
  snprintf(release, sizeof release, "%s", fresh_key());
  must("pipe", pipe(gate) == 0);
  fill_pattern(octets, 0, sizeof octets);
  if (probe_fork() == 0) {
    close(gate[1]);
    if (read(gate[0], reply, 1) == 1) peer_release(release);
    peer_ask(reply, sizeof reply, "fetch", key);
    answer_arrived(reply, sizeof octets, crc32_of(0, octets, sizeof octets));
    return 0;
  }
  connection = peer_open();
  peer_script(connection, "half-close %s %s", key, release);
  send_all(connection, octets, sizeof octets);
  cookie_io_functions_t functions = {.write = flushed_last};
  FILE* last = fopencookie(NULL, "w", functions);
  must("fputc", last != NULL && fputc('x', last) == 'x');
  return 7;
}
