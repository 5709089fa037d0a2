#include "tools/socksd-gss/target_table.h"

#include <functional>
#include <string_view>

#include "lib/base/bytes.h"

namespace socksify {

size_t AddressHash::operator()(const Address& address) const {
  const bool is_name = address.type == AddressType::kName;
  const std::string_view host = is_name ? address.name : AsText(address.ip_octets());
  return std::hash<std::string_view>()(host) ^ size_t { address.port } * 0x9e3779b97f4a7c15;
}

void TargetTable::Note(const Address& target, const Address& requested) {
  if (auto found = index_.find(target); found != index_.end()) {
    entries_.splice(entries_.begin(), entries_, found->second);
    if (found->second->requested != requested) found->second->requested = requested;
    return;
  }
  if (entries_.size() == most_) {
    index_.erase(entries_.back().target);
    entries_.pop_back();
  }
  entries_.push_front({target, requested});
  index_[target] = entries_.begin();
}

const Address* TargetTable::Find(const Address& source) const {
  auto found = index_.find(source);
  return found == index_.end() ? nullptr : &found->second->requested;
}

}  // namespace socksify
