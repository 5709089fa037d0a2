#include "tools/socksd-gss/name_cache.h"

#include <sys/socket.h>

#include <utility>

namespace socksify {
namespace {

constexpr uint64_t kKeepMs = 60'000;
constexpr uint64_t kKeepUnknownMs = 5'000;
constexpr size_t kMostNames = 256;
constexpr size_t kMostLookups = 2;
constexpr size_t kMostWaiting = 64;  // for one name: what a program says in one go
constexpr size_t kMostWaitingOctets = 256 * 1024;

}  // namespace

const std::vector<Address>* NameCache::Find(const Address& name) {
  auto at = entries_.find(name);
  if (at == entries_.end() || !at->second->known) return nullptr;
  if (at->second->until > uv_now(loop_)) return &at->second->found;
  entries_.erase(at);
  return nullptr;
}

bool NameCache::Ask(const Address& name, ByteView data) {
  if (waiting_octets_ + data.size() > kMostWaitingOctets) return false;
  auto at = entries_.find(name);
  if (at == entries_.end()) {
    if (entries_.size() >= kMostNames && !MakeRoom()) return false;
    at = entries_.emplace(name, std::make_unique<Entry>(this, name)).first;
    queue_.push_back(at->second.get());
  }
  Entry& entry = *at->second;
  if (entry.waiting.size() == kMostWaiting) return false;
  entry.waiting.emplace_back(data.begin(), data.end());
  waiting_octets_ += data.size();
  StartNext();
  return true;
}

// Forgets a name that nothing waits for.
bool NameCache::MakeRoom() {
  for (auto at = entries_.begin(); at != entries_.end(); ++at) {
    if (!at->second->known) continue;
    entries_.erase(at);
    return true;
  }
  return false;
}

void NameCache::StartNext() {
  while (running_ < kMostLookups && !queue_.empty()) {
    Entry* entry = queue_.front();
    queue_.pop_front();
    running_++;
    entry->lookup = std::make_unique<Lookup>(entry);
    if (!entry->lookup->Start(loop_, entry->name, SOCK_DGRAM)) OnResolved(entry, {});
  }
}

void NameCache::OnResolved(Entry* entry, std::vector<Address> addresses) {
  running_--;
  entry->lookup = nullptr;
  entry->known = true;
  entry->until = uv_now(loop_) + (addresses.empty() ? kKeepUnknownMs : kKeepMs);
  entry->found = std::move(addresses);
  const std::vector<Bytes> waiting = std::exchange(entry->waiting, {});
  for (const Bytes& data : waiting) waiting_octets_ -= data.size();
  owner_->OnName(entry->name, entry->found, waiting);
  StartNext();
}

}  // namespace socksify
