/* Ends of a connection that another program has inherited: the peer's, ours in each
   direction, a reset each way. */
#include "probe.h"

static int inherited(const char* script) {
  int fd = peer(script);
  fflush(stdout);
  must("system", system("true") == 0);
  return fd;
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  char text[64];
  int fd = inherited("say bye");
  answer("shutdown", shutdown(fd, SHUT_WR));
  answer_octets("recv", recv(fd, text, sizeof text, MSG_WAITALL), text);
  answer("recv", recv(fd, text, sizeof text, 0));
  close(fd);

  fd = inherited("close-now");
  answer("recv", recv(fd, text, sizeof text, 0));
  answer_poll("poll", await(fd, POLLIN | POLLRDHUP));
  close(fd);

  fd = inherited("reset-after");
  send_all(fd, "x", 1);
  answer("recv", recv(fd, text, sizeof text, 0));
  signal(SIGPIPE, SIG_IGN);
  answer("send", send(fd, "x", 1, 0));
  close(fd);

  char key[64];
  snprintf(key, sizeof key, "%s", fresh_key());
  fd = peer_open();
  peer_script(fd, "half-close %s", key);
  answer("recv", recv(fd, text, sizeof text, 0));
  must("system", system("true") == 0);
  send_all(fd, "after their end", 15);
  answer("shutdown", shutdown(fd, SHUT_WR));
  answer("recv", recv(fd, text, sizeof text, 0));
  close(fd);
  fd = peer_open();
  peer_script(fd, "fetch %s", key);
  answer_octets("fetch", recv(fd, text, sizeof text, MSG_WAITALL), text);
  close(fd);

  fd = peer("digest");
  send_all(fd, "before", 6);
  answer("shutdown", shutdown(fd, SHUT_WR));
  must("system", system("true") == 0);
  signal(SIGPIPE, SIG_IGN);
  answer("send", send(fd, "x", 1, 0));
  answer_octets("digest", recv(fd, text, sizeof text, MSG_WAITALL), text);
  close(fd);

  for (int both = 0; both < 2; ++both) {
    snprintf(key, sizeof key, "%s", fresh_key());
    fd = peer_open();
    peer_script(fd, "half-close %s", key);
    send_all(fd, "before", 6);
    answer("shutdown", shutdown(fd, both ? SHUT_RDWR : SHUT_RD));
    must("system", system("true") == 0);
    answer("recv", recv(fd, text, sizeof text, 0));
    answer("send", send(fd, " after", 6, 0));
    close(fd);
    const int fetching = peer_open();
    peer_script(fetching, "fetch %s", key);
    answer_octets("fetch", recv(fetching, text, sizeof text, MSG_WAITALL), text);
    close(fetching);
  }
  return 0;
}
