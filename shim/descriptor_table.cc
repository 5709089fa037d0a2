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
  if (entry == 0 && Load(fd) == 0) return 0;
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

void DescriptorTable::Set(int fd, Mark mark) {
  uintptr_t old = Exchange(fd, static_cast<uintptr_t>(mark));
  if (old >= kMarks)
    Connection::LoseDescriptor(ConnectionRef(reinterpret_cast<Connection*>(old)), -1);
}

void DescriptorTable::Set(int fd, const ConnectionRef& connection) {
  connection->GainDescriptor();
  ConnectionRef count(connection);
  uintptr_t old = Exchange(fd, reinterpret_cast<uintptr_t>(count.Release()));
  if (old >= kMarks)
    Connection::LoseDescriptor(ConnectionRef(reinterpret_cast<Connection*>(old)), -1);
}

ConnectionRef DescriptorTable::Clear(int fd) {
  uintptr_t old = Exchange(fd, 0);
  return old >= kMarks ? ConnectionRef(reinterpret_cast<Connection*>(old)) : ConnectionRef();
}

}  // namespace socksify
