/* sendmmsg of messages that are not all there: what comes before the hole is sent, and no more;
 * one that cannot be written to, a count beyond the kernel's, and what recvmmsg leaves of its time.
 */
#include <sys/mman.h>

#include "datagram.h"

static char octets[] = "message";
static struct iovec vector = {octets, 7};

/* `count` messages to the peer, which end where nothing can be touched. */
static struct mmsghdr* messages_before_a_hole(int count) {
  const size_t size = ((size_t)count * sizeof(struct mmsghdr) + 4095) / 4096 * 4096;
  char* at = mmap(NULL, size + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  must("mmap", at != MAP_FAILED && mprotect(at + size, 4096, PROT_NONE) == 0);
  struct mmsghdr* messages = (struct mmsghdr*)(at + size) - count;
  for (int i = 0; i < count; ++i) {
    messages[i].msg_hdr = (struct msghdr){
        .msg_name = PEER_SOCKADDR, .msg_namelen = PEER_LENGTH, .msg_iov = &vector, .msg_iovlen = 1};
  }
  return messages;
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = udp_socket(0);
  struct mmsghdr* messages = messages_before_a_hole(3);
  answer("the hole next", sendmmsg(fd, messages + 3, 2, 0));
  answer("a hole behind three", sendmmsg(fd, messages, 5, 0));
  for (int i = 0; i < 3; ++i) answer_from("echo", fd, &peer_address);
  messages = messages_before_a_hole(1024);
  messages[4].msg_hdr.msg_iov = NULL;
  answer("a bad one behind four", sendmmsg(fd, messages, 2000, 0));
  for (int i = 0; i < 4; ++i) answer_from("echo", fd, &peer_address);
  messages = messages_before_a_hole(64);
  must("mprotect", mprotect(messages, 4096, PROT_READ) == 0);
  answer("not writable", sendmmsg(fd, messages, 1, 0));

  struct timespec time = {30, 0};
  struct mmsghdr one = {.msg_hdr = {.msg_iov = &vector, .msg_iovlen = 1}};
  must("sendto", say(fd, "message") == 7);
  answer("recvmmsg", recvmmsg(fd, &one, 1, 0, &time));
  answer("time is left", time.tv_sec < 30 && (time.tv_sec != 0 || time.tv_nsec != 0));
  return 0;
}
