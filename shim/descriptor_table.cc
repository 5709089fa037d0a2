#include "shim/descriptor_table.h"

#include <sys/mman.h>

#include "shim/connection.h"

namespace socksify {

DescriptorTable::Entry* DescriptorTable::At(int fd) {
  const unsigned number = static_cast<unsigned>(fd);
  if (number >= kNumbers) return nullptr;
  std::atomic<Entry*>& slot = pages_[number / kPageSize];
  Entry* page = slot.load(std::memory_order_acquire);
  if (page == nullptr) {
    // Zero pages of the kernel: no allocator of the application is called.
    void* fresh = mmap(nullptr, kPageSize * sizeof(Entry), PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (fresh == MAP_FAILED) return nullptr;
    if (slot.compare_exchange_strong(page, static_cast<Entry*>(fresh))) {
      page = static_cast<Entry*>(fresh);
    } else {
      munmap(fresh, kPageSize * sizeof(Entry));
    }
  }
  return &page[number % kPageSize];
}

uintptr_t DescriptorTable::Exchange(int fd, uintptr_t entry) {
  if (foreign_ || (entry == 0 && Load(fd) == 0)) return 0;
  Entry* at = At(fd);
  return at == nullptr ? 0 : at->exchange(entry, std::memory_order_acq_rel);
}

ConnectionRef DescriptorTable::FindSlow(int fd) {
  for (;;) {
    uintptr_t entry = Load(fd);
    if (entry < kMarks) return {};
    // A Connection's memory is never given back, so a stale pointer can still be asked to count;
    // then the number must still mean it.
    auto* connection = reinterpret_cast<Connection*>(entry);
    if (!connection->TryRef()) continue;
    ConnectionRef reference(connection);
    if (Load(fd) == entry) return reference;
  }
}

void DescriptorTable::Replaced(uintptr_t old) {
  if (old < kMarks) return;
  const ConnectionRef connection(reinterpret_cast<Connection*>(old));
  if (connection.get() != Connection::Ended()) Connection::LoseDescriptor(connection, -1);
}

void DescriptorTable::Set(int fd, Mark mark) {
  Replaced(Exchange(fd, static_cast<uintptr_t>(mark)));
}

void DescriptorTable::Set(int fd, const ConnectionRef& connection) {
  connection->GainDescriptor();
  ConnectionRef count(connection);
  Replaced(Exchange(fd, reinterpret_cast<uintptr_t>(count.Release())));
}

void DescriptorTable::Forget(int fd) {
  Entry* at = foreign_ ? nullptr : At(fd);
  auto own = static_cast<uintptr_t>(Mark::kOwn);
  if (at != nullptr) (void)at->compare_exchange_strong(own, 0);
}

bool DescriptorTable::Change(int fd, Mark from, Mark to) {
  Entry* at = At(fd);
  auto expected = static_cast<uintptr_t>(from);
  return at != nullptr && at->compare_exchange_strong(expected, static_cast<uintptr_t>(to));
}

bool DescriptorTable::Promote(int fd, const ConnectionRef& connection) {
  Entry* at = At(fd);
  auto fresh = static_cast<uintptr_t>(Get(fd) == Mark::kDirectSocket ? Mark::kDirectSocket
                                                                     : Mark::kFreshSocket);
  ConnectionRef count(connection);
  connection->GainDescriptor();
  if (at != nullptr &&
      at->compare_exchange_strong(fresh, reinterpret_cast<uintptr_t>(count.get()))) {
    (void)count.Release();
    return true;
  }
  Connection::LoseDescriptor(connection, -1);
  return false;
}

ConnectionRef DescriptorTable::BeginClose(int fd) {
  Connection* ended = Connection::Ended();
  ended->Ref();
  const uintptr_t old = Exchange(fd, reinterpret_cast<uintptr_t>(ended));
  if (old < kMarks) return {};
  ConnectionRef connection(reinterpret_cast<Connection*>(old));
  return connection.get() == ended ? ConnectionRef() : connection;
}

void DescriptorTable::EndClose(int fd) {
  Entry* at = At(fd);
  auto ended = reinterpret_cast<uintptr_t>(Connection::Ended());
  if (at != nullptr && at->compare_exchange_strong(ended, 0)) Connection::Ended()->Unref();
}

}  // namespace socksify
