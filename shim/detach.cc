#include "shim/detach.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <vector>

#include "shim/associations.h"
#include "shim/connection.h"
#include "shim/descriptor_table.h"
#include "shim/home.h"
#include "shim/listeners.h"
#include "shim/mutex.h"
#include "shim/process.h"
#include "shim/real_calls.h"
#include "shim/report.h"

namespace socksify {
namespace {

// vfork's child has its parent's memory and descriptors of its own. The parent detaches the session
// and replaces its own descriptors; the child's are replaced here. Nothing is allocated.
bool DetachInVforkChild(const Connection& connection, int fd) {
  if (connection.detached() ? connection.IsStandIn(fd) : !connection.carries_session()) return true;
  int stand_in = -1;
  const int door = Home::door();
  if (door < 0 ||
      Home::Ask(door, &connection, connection.generation(), &stand_in) != Home::Answer::kStandIn) {
    errno = EOPNOTSUPP;
    return false;
  }
  DescriptorTable::ForEach(0, UINT32_MAX, [&](int number, DescriptorTable::Mark) {
    if (!DescriptorTable::Is(number, &connection)) return;
    const int flags = real::fcntl(number, F_GETFD);
    if (flags < 0) return;
    (void)real::dup3(stand_in, number, (flags & FD_CLOEXEC) != 0 ? O_CLOEXEC : 0);
  });
  (void)real::close(stand_in);
  return true;
}

struct Fenced {
  int fd;
  const Connection* connection;  // the number may come to mean another meanwhile
};

// Fences of several threads overlap: the last to go gives the flags back. Guarded by leaf_mutex.
int g_fences = 0;

// The channels of associations and listeners go along with their sockets.
void KeepChannels(bool keep) {
  auto set = [&](int fd, int channel) {
    const int flags = real::fcntl(fd, F_GETFD);
    const bool goes = keep && flags >= 0 && (flags & FD_CLOEXEC) == 0;
    if (goes || !keep) (void)real::fcntl(channel, F_SETFD, goes ? 0 : FD_CLOEXEC);
  };
  Associations::ForEachChannel(set);
  Listeners::ForEachChannel(set);
}

std::vector<Fenced>& FencedDescriptors() {
  static auto* const fenced = new std::vector<Fenced>();
  return *fenced;
}

}  // namespace

bool DetachDescriptor(int fd) {
  ConnectionRef connection = DescriptorTable::Find(fd);
  if (!connection) return true;
  if (InVforkChild()) return DetachInVforkChild(*connection, fd);
  if (connection->phase() != Connection::Phase::kEstablished) {
    connection->DetachOnceEstablished();
    if (connection->phase() != Connection::Phase::kEstablished) return true;
  }
  return connection->Detach();
}

ConnectionRef ConnectionToBe(int fd) {
  using Mark = DescriptorTable::Mark;
  const Mark mark = DescriptorTable::Get(fd);
  if ((mark == Mark::kFreshSocket || mark == Mark::kDirectSocket) && !InVforkChild()) {
    (void)DescriptorTable::Promote(fd, Connection::New());
  }
  return DescriptorTable::Find(fd);
}

bool DetachDescriptorForGood(int fd) {
  (void)ConnectionToBe(fd);
  return DetachDescriptor(fd);
}

ExecFence::ExecFence() : counted_(!InVforkChild()) {
  const int saved_errno = errno;
  if (counted_) {
    MutexLock lock(leaf_mutex);
    ++g_fences;
  }
  KeepChannels(true);
  DescriptorTable::ForEach(0, UINT32_MAX, [&](int fd, DescriptorTable::Mark mark) {
    if (mark != DescriptorTable::Mark::kConnection) return;
    ConnectionRef connection = DescriptorTable::Find(fd);
    if (!connection || !(connection->carries_session() || connection->detached())) return;
    const int flags = real::fcntl(fd, F_GETFD);
    if (flags < 0 || (flags & FD_CLOEXEC) != 0) return;
    const bool connecting = connection->phase() == Connection::Phase::kConnecting;
    if (!connecting && DetachDescriptor(fd)) return;
    (void)real::fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
    if (!counted_) return;  // vfork's child: no allocation, and it ends if it does not execute
    MutexLock lock(leaf_mutex);
    FencedDescriptors().push_back({fd, connection.get()});
  });
  errno = saved_errno;
}

ExecFence::~ExecFence() {
  if (!counted_) return;
  const int saved_errno = errno;
  bool last;
  {
    MutexLock lock(leaf_mutex);
    last = --g_fences == 0;
    for (const auto& [fd, connection] : FencedDescriptors()) {
      if (!last || !DescriptorTable::Is(fd, connection)) continue;
      const int flags = real::fcntl(fd, F_GETFD);
      if (flags >= 0) (void)real::fcntl(fd, F_SETFD, flags & ~FD_CLOEXEC);
    }
    if (last) FencedDescriptors().clear();
  }
  if (last) KeepChannels(false);
  errno = saved_errno;
}

}  // namespace socksify
