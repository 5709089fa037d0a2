// The names that one client sends datagrams to: each is asked for once and kept for a while, and
// what is to go there meanwhile waits. Everything in it is bounded: a client that sends to many
// names loses datagrams, and takes no more of the resolver than two lookups at a time.
//
// For the loop's thread only.
#ifndef TOOLS_SOCKSD_GSS_NAME_CACHE_H_
#define TOOLS_SOCKSD_GSS_NAME_CACHE_H_

#include <uv.h>

#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

#include "lib/base/bytes.h"
#include "lib/wire/address.h"
#include "tools/socksd-gss/lookup.h"
#include "tools/socksd-gss/target_table.h"

namespace socksify {

class NameCacheOwner {
 public:
  // `name` is known by now, as Find() gives it, or is not to be had. `waiting`: the data for it.
  virtual void OnName(const Address& name, const std::vector<Address>& found,
                      const std::vector<Bytes>& waiting) = 0;

 protected:
  ~NameCacheOwner() = default;
};

class NameCache {
 public:
  NameCache(uv_loop_t* loop, NameCacheOwner* owner) : loop_(loop), owner_(owner) {}
  NameCache(const NameCache&) = delete;
  NameCache& operator=(const NameCache&) = delete;

  // The addresses of a name, with its port; none when it has none. Null: not known, or not any
  // more.
  const std::vector<Address>* Find(const Address& name);

  // Asks for it, unless that has been done, and keeps the data. False: too much waits already.
  bool Ask(const Address& name, ByteView data);

  bool waits() const { return running_ != 0 || !queue_.empty(); }  // for a name, and data with it

 private:
  struct Entry final : LookupOwner {
    Entry(NameCache* of, Address which) : cache(of), name(std::move(which)) {}
    void OnResolved(std::vector<Address> addresses) override {
      cache->OnResolved(this, std::move(addresses));
    }

    NameCache* const cache;
    const Address name;
    std::unique_ptr<Lookup> lookup;  // while it runs
    bool known = false;
    uint64_t until = 0;  // of the loop's clock; when known
    std::vector<Address> found;
    std::vector<Bytes> waiting;
  };

  bool MakeRoom();
  void StartNext();
  void OnResolved(Entry* entry, std::vector<Address> addresses);

  uv_loop_t* const loop_;
  NameCacheOwner* const owner_;
  std::unordered_map<Address, std::unique_ptr<Entry>, AddressHash> entries_;
  std::deque<Entry*> queue_;  // not asked for yet
  size_t running_ = 0;
  size_t waiting_octets_ = 0;
};

}  // namespace socksify

#endif  // TOOLS_SOCKSD_GSS_NAME_CACHE_H_
