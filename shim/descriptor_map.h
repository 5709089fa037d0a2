// What descriptors of the application mean besides a connection: an association, a listener of
// BIND. Duplicates share one; the last that goes ends it.
//
// Any thread, signal handlers included: none runs in a thread that holds the lock.
#ifndef SHIM_DESCRIPTOR_MAP_H_
#define SHIM_DESCRIPTOR_MAP_H_

#include <atomic>
#include <cstddef>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "shim/mutex.h"
#include "shim/signals.h"

namespace socksify {

// A lock that a handler of the application cannot want while its thread holds it.
class QuietLock {
 public:
  explicit QuietLock(Mutex& mutex) : lock_(mutex) {}

 private:
  const SignalsBlocked signals_;  // first
  const MutexLock lock_;
};

template <typename T>
class DescriptorMap {
 public:
  using Ref = std::shared_ptr<T>;

  bool empty() const { return count_.load(std::memory_order_acquire) == 0; }

  Ref Find(int fd) {
    if (empty()) return nullptr;
    const QuietLock lock(mutex_);
    const auto at = refs().find(fd);
    return at != refs().end() ? at->second : nullptr;
  }

  // What is there, or `make()`, which is there then.
  template <typename Make>
  Ref FindOrPut(int fd, Make make) {
    const QuietLock lock(mutex_);
    Ref& ref = refs()[fd];
    if (ref == nullptr) ref = make();
    count_ = refs().size();
    return ref;
  }

  void Put(int fd, Ref ref) {
    const QuietLock lock(mutex_);
    std::swap(refs()[fd], ref);  // what was there goes after the lock
    count_ = refs().size();
  }

  Ref Take(int fd) {
    if (empty()) return nullptr;
    const QuietLock lock(mutex_);
    auto node = refs().extract(fd);
    count_ = refs().size();
    return node.empty() ? nullptr : std::move(node.mapped());
  }

  std::vector<std::pair<int, Ref>> All() {
    if (empty()) return {};
    const QuietLock lock(mutex_);
    return {refs().begin(), refs().end()};
  }

  void BeforeFork() { mutex_.Lock(); }
  void AfterFork(bool in_child) { in_child ? mutex_.Reinitialise() : mutex_.Unlock(); }

 private:
  std::map<int, Ref>& refs() {
    if (refs_ == nullptr) refs_ = new std::map<int, Ref>();  // never destroyed
    return *refs_;
  }

  Mutex mutex_;
  std::map<int, Ref>* refs_ = nullptr;
  std::atomic<size_t> count_{0};
};

}  // namespace socksify

#endif  // SHIM_DESCRIPTOR_MAP_H_
