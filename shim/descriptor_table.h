// What each descriptor number of this process is to the shim.
//
// A number that is not ours costs one or two loads: no lock, no system call, so signal handlers may
// use it. A connection is returned as a counted reference.
#ifndef SHIM_DESCRIPTOR_TABLE_H_
#define SHIM_DESCRIPTOR_TABLE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "shim/connection_ref.h"

namespace socksify {

class DescriptorTable {
 public:
  enum class Mark : uint8_t {
    kNone,            // unknown, or nothing to us
    kFreshSocket,     // a stream socket for IPv4 or IPv6 that has not been connected
    kDirectSocket,    // as kFreshSocket, but that this process has connected it itself, directly
    kDatagramSocket,  // a socket for datagrams over IPv4 or IPv6
    kDatagrams,       // one that is known to Associations
    kEpoll,           // an epoll instance
    kOwn,             // the shim's own: the application must not see, close or replace it
    kConnection,
  };

  static Mark Get(int fd) {
    uintptr_t entry = Load(fd);
    return entry < kMarks ? static_cast<Mark>(entry) : Mark::kConnection;
  }

  // The connection on this number, if there is one.
  static ConnectionRef Find(int fd) {
    uintptr_t entry = Load(fd);
    if (__builtin_expect(entry < kMarks, 1)) return {};
    return FindSlow(fd);
  }

  // Is `connection` still what this number means?
  static bool Is(int fd, const Connection* connection) {
    return Load(fd) == reinterpret_cast<uintptr_t>(connection);
  }

  // Puts a mark (not kConnection) on the number; a connection that was there loses this descriptor.
  static void Set(int fd, Mark mark);
  // Puts the connection on the number and counts the descriptor.
  static void Set(int fd, const ConnectionRef& connection);
  // A number of the shim's own has been closed.
  static void Forget(int fd);

  // Turns the one mark into the other. False when something else is there by now.
  static bool Change(int fd, Mark from, Mark to);

  // Turns a socket that is no connection yet into the connection. False when something else is
  // there by now.
  static bool Promote(int fd, const ConnectionRef& connection);

  // The number is about to be closed or replaced. Until EndClose it means a connection that has
  // ended, so that no other thread takes the open socket for one that is not ours. Returns the
  // connection that was there, if any: the caller tells it.
  static ConnectionRef BeginClose(int fd);
  static void EndClose(int fd);

  // Calls `visit(fd, mark)` for every number in [first, last] that is not kNone.
  template <typename Visitor>
  static void ForEach(unsigned first, unsigned last, Visitor visit) {
    for (unsigned fd = first; fd <= last && fd < kNumbers; ++fd) {
      if (pages_[fd / kPageSize].load(std::memory_order_acquire) == nullptr) {
        fd |= kPageSize - 1;
        continue;
      }
      Mark mark = Get(static_cast<int>(fd));
      if (mark != Mark::kNone) visit(static_cast<int>(fd), mark);
    }
  }

  // The calling thread has descriptors of its own from now on (own_table.h): the table is not about
  // them, and stays as it is.
  static void LeaveToOthers() { foreign_ = true; }

  static constexpr unsigned kNumbers = 1u << 20;  // the kernel's fs.nr_open by default

 private:
  static constexpr unsigned kPageSize = 1024;
  static constexpr uintptr_t kMarks = 16;  // smaller entries are marks, others are pointers
  using Entry = std::atomic<uintptr_t>;

  static uintptr_t Load(int fd) {
    if (static_cast<unsigned>(fd) >= kNumbers) return 0;
    Entry* page = pages_[static_cast<unsigned>(fd) / kPageSize].load(std::memory_order_acquire);
    if (page == nullptr) return 0;
    const uintptr_t entry =
        page[static_cast<unsigned>(fd) % kPageSize].load(std::memory_order_acquire);
    return __builtin_expect(entry != 0, 0) && foreign_ ? 0 : entry;
  }

  static ConnectionRef FindSlow(int fd);
  static Entry* At(int fd);  // makes the page; null for a number that is out of range
  static uintptr_t Exchange(int fd, uintptr_t entry);
  static void Replaced(uintptr_t old);

  static inline thread_local constinit bool foreign_ = false;
  static inline constinit std::atomic<Entry*> pages_[kNumbers / kPageSize] = {};
};

}  // namespace socksify

#endif  // SHIM_DESCRIPTOR_TABLE_H_
