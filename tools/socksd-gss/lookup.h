// The addresses of one name, asked for on libuv's pool.
//
// Letting go of a Lookup ends it without a report. For the loop's thread only.
#ifndef TOOLS_SOCKSD_GSS_LOOKUP_H_
#define TOOLS_SOCKSD_GSS_LOOKUP_H_

#include <uv.h>

#include <utility>
#include <vector>

#include "lib/wire/address.h"

namespace socksify {

class LookupOwner {
 public:
  // Once, never from inside Start(): in order of preference, with the port that was asked for;
  // empty when none is known. The owner may let go of the lookup in it.
  virtual void OnResolved(std::vector<Address> found) = 0;

 protected:
  ~LookupOwner() = default;
};

class Lookup {
 public:
  explicit Lookup(LookupOwner* owner) : owner_(owner) {}
  ~Lookup();
  Lookup(const Lookup&) = delete;
  Lookup& operator=(const Lookup&) = delete;

  // Once. False: it cannot be asked for.
  bool Start(uv_loop_t* loop, const Address& name, int socket_type);

 private:
  struct Pending;  // lives until libuv is done with it, also without the lookup

  LookupOwner* const owner_;
  Pending* pending_ = nullptr;
};

}  // namespace socksify

#endif  // TOOLS_SOCKSD_GSS_LOOKUP_H_
