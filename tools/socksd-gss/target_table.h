// Whom a client has sent datagrams to, and as what it knows them: only from these anything comes
// back. Of bounded size; who was sent to longest ago is forgotten first.
#ifndef TOOLS_SOCKSD_GSS_TARGET_TABLE_H_
#define TOOLS_SOCKSD_GSS_TARGET_TABLE_H_

#include <list>
#include <unordered_map>

#include "lib/wire/address.h"

namespace socksify {

struct AddressHash {
  size_t operator()(const Address& address) const;
};

class TargetTable {
 public:
  explicit TargetTable(size_t most) : most_(most) {}

  // The client sends to `target`, an IP address, having asked for it as `requested`.
  void Note(const Address& target, const Address& requested);

  // As what the client knows `source`; null: not at all.
  const Address* Find(const Address& source) const;

 private:
  struct Entry {
    Address target, requested;
  };

  const size_t most_;
  std::list<Entry> entries_;  // the latest first
  std::unordered_map<Address, std::list<Entry>::iterator, AddressHash> index_;
};

}  // namespace socksify

#endif  // TOOLS_SOCKSD_GSS_TARGET_TABLE_H_
