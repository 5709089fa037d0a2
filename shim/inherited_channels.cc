#include "shim/inherited_channels.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <atomic>
#include <cerrno>
#include <cstdint>

#include "lib/io/socket_address.h"
#include "shim/descriptor_table.h"
#include "shim/guard.h"
#include "shim/real_calls.h"
#include "shim/run_file.h"
#include "shim/socket_facts.h"

namespace socksify {
namespace {

// By the socket's port. The inode tells whether the descriptor still is the channel.
struct Entry {
  std::atomic<uint64_t> inode;
  std::atomic<int> fd;
};
constexpr size_t kPorts = 65536;

Entry* g_entries = nullptr;  // of streams, and behind them of datagrams
pthread_once_t g_once = PTHREAD_ONCE_INIT;

Entry* EntryOf(int fd, int type) {
  pthread_once(&g_once, [] {
    const Guard guard;
    g_entries = static_cast<Entry*>(MapRunFile(".channels", 2 * kPorts * sizeof(Entry)));
  });
  SocketAddress name;
  if (g_entries == nullptr || !LocalName(fd, &name)) return nullptr;
  const auto address = AddressFromSockaddr(name.get(), name.length);
  if (!address || address->port == 0) return nullptr;
  return &g_entries[(type == SOCK_DGRAM ? kPorts : 0) + address->port];
}

uint64_t InodeOf(int fd) {
  struct stat status;
  return fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode) ? status.st_ino : 0;
}

}  // namespace

void NoteChannel(int fd, int type, const AgentChannel& channel) {
  const int saved_errno = errno;
  Entry* entry = EntryOf(fd, type);
  if (entry != nullptr && Reserve(entry, sizeof *entry)) {
    entry->inode = 0;
    entry->fd = channel.fd();
    entry->inode = InodeOf(channel.fd());
  }
  errno = saved_errno;
}

std::shared_ptr<AgentChannel> AdoptChannel(int fd, int type) {
  using Mark = DescriptorTable::Mark;
  const int saved_errno = errno;
  std::shared_ptr<AgentChannel> channel;
  const Entry* entry = EntryOf(fd, type);
  if (entry != nullptr && entry->inode != 0) {
    const int inherited = entry->fd;
    if (DescriptorTable::Get(inherited) == Mark::kNone && InodeOf(inherited) == entry->inode) {
      DescriptorTable::Set(inherited, Mark::kOwn);
      (void)real::fcntl(inherited, F_SETFD, FD_CLOEXEC);
      channel = std::make_shared<AgentChannel>(inherited);
    }
  }
  errno = saved_errno;
  return channel;
}

}  // namespace socksify
