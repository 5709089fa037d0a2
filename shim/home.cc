#include "shim/home.h"

#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>

#include "shim/connection.h"
#include "shim/mutex.h"
#include "shim/own_descriptor.h"
#include "shim/real_calls.h"
#include "shim/service.h"
#include "shim/signals.h"

namespace socksify {
namespace {

// What a child asks with, and one descriptor to answer on. Parent and child are one program, so an
// address means the same to both.
struct Question {
  const Connection* connection;
  uint32_t generation;
};

std::atomic<int> g_door{-1};  // guarded by leaf_mutex for writing

constexpr time_t kAnswerSeconds = 10;  // more than a machine under load needs
Mutex g_answering;                     // held while a child is answered
std::atomic<bool> g_stopped{false};

// Sends `size` octets, and `fd` unless that is -1. Async-signal-safe.
bool SendWithDescriptor(int to, const void* octets, size_t size, int fd) {
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof fd)] = {};
  iovec vector = {const_cast<void*>(octets), size};
  msghdr message = {};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  if (fd >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(rights), &fd, sizeof fd);
  }
  ssize_t sent;
  do {
    sent = real::sendmsg(to, &message, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent == static_cast<ssize_t>(size);
}

// Receives `size` octets and what descriptor comes with them, -1 for none.
bool ReceiveWithDescriptor(int from, void* octets, size_t size, int* fd) {
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof *fd)] = {};
  iovec vector = {octets, size};
  msghdr message = {};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t came;
  do {
    came = real::recvmsg(from, &message, MSG_CMSG_CLOEXEC);
  } while (came < 0 && errno == EINTR);
  *fd = -1;
  if (came < 0) return false;
  const cmsghdr* rights = CMSG_FIRSTHDR(&message);
  if (rights != nullptr && rights->cmsg_level == SOL_SOCKET && rights->cmsg_type == SCM_RIGHTS) {
    memcpy(fd, CMSG_DATA(rights), sizeof *fd);
  }
  if (came == static_cast<ssize_t>(size)) return true;
  if (*fd >= 0) (void)real::close(std::exchange(*fd, -1));
  return false;
}

}  // namespace

int Home::door() { return g_door; }

void Home::Open() {
  if (g_door >= 0 || !Connection::AnySession()) {
    if (g_door >= 0) Service::Listen(-1);
    return;
  }
  const SignalsBlocked signals;
  const DescriptorHeadroom headroom;
  int ends[2];
  if (real::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return;
  const int listener = OwnDescriptor::Adopt(ends[0]);
  const int door = OwnDescriptor::Adopt(ends[1]);
  int none = -1;
  if (listener < 0 || door < 0 || !g_door.compare_exchange_strong(none, door)) {
    if (listener >= 0) OwnDescriptor::Close(listener);
    if (door >= 0) OwnDescriptor::Close(door);
    return;
  }
  Service::Listen(listener);
}

Home::Answer Home::Ask(int door, const Connection* connection, uint32_t generation, int* stand_in) {
  int ends[2];
  if (real::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return Answer::kRefused;
  }
  const Question question = {connection, generation};
  const bool asked = SendWithDescriptor(door, &question, sizeof question, ends[1]);
  (void)real::close(ends[1]);  // the home has the only other: its end is seen here
  Answer answer = Answer::kGone;
  *stand_in = -1;
  if (!asked || !ReceiveWithDescriptor(ends[0], &answer, sizeof answer, stand_in)) {
    answer = Answer::kGone;
  }
  (void)real::close(ends[0]);
  return answer;
}

void Home::AnswerOne(int listener) {
  const MutexLock lock(g_answering);
  Question question;
  int reply;
  if (!ReceiveWithDescriptor(listener, &question, sizeof question, &reply) || reply < 0) return;
  Answer answer = Answer::kGone;
  int stand_in = -1;
  ConnectionRef connection = Connection::FindLive(question.connection, question.generation);
  if (connection && (connection->detached() || !g_stopped)) {
    answer = Answer::kRefused;
    if (connection->Detach()) stand_in = connection->DuplicateDescriptor();
    if (stand_in >= 0) answer = Answer::kStandIn;
  }
  (void)SendWithDescriptor(reply, &answer, sizeof answer, stand_in);
  (void)real::close(reply);
  if (stand_in >= 0) (void)real::close(stand_in);
}

void Home::StopAnswering() {
  if (g_door < 0 || g_stopped.exchange(true)) return;
  timespec until;
  clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_sec += kAnswerSeconds;
  if (pthread_mutex_clocklock(g_answering.native(), CLOCK_MONOTONIC, &until) == 0) {
    g_answering.Unlock();
  }
}

void Home::GoOn() { g_stopped = false; }

void Home::AfterForkInChild() {
  g_answering.Reinitialise();
  g_stopped = false;
}

int Home::Leave() { return g_door.exchange(-1); }

}  // namespace socksify
