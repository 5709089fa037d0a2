// A password in memory: wiped when it goes, never printed.
#ifndef LIB_BASE_SECRET_H_
#define LIB_BASE_SECRET_H_

#include <string>
#include <string_view>
#include <utility>

#include "lib/base/bytes.h"

namespace socksify {

// Owns its octets. Copies are deep; every copy is wiped by its own destructor.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string_view text) : octets_(text.begin(), text.end()) {}
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept : octets_(std::exchange(other.octets_, {})) {}
  Secret& operator=(Secret other) noexcept {
    octets_.swap(other.octets_);
    return *this;
  }
  ~Secret() { Wipe(octets_); }

  bool empty() const { return octets_.empty(); }
  ByteView octets() const { return octets_; }
  std::string_view text() const { return AsText(octets_); }

 private:
  Bytes octets_;
};

}  // namespace socksify

#endif  // LIB_BASE_SECRET_H_
