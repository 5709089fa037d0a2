// Octets in order, in as many places as they are: what a gathering write takes.
#ifndef LIB_BASE_PIECES_H_
#define LIB_BASE_PIECES_H_

#include <vector>

#include "lib/base/bytes.h"

namespace socksify {

class Pieces {
 public:
  // Octets that stay where they are, the caller's, until Clear().
  void Add(ByteView octets) {
    if (!octets.empty()) views_.push_back(octets);
    size_ += octets.size();
  }

  // Octets that do not: a copy is kept.
  void Keep(ByteView octets) {
    if (!octets.empty()) Add(kept_.emplace_back(octets.begin(), octets.end()));
  }

  void Clear() {
    views_.clear();
    kept_.clear();
    size_ = 0;
  }

  const std::vector<ByteView>& views() const { return views_; }
  size_t size() const { return size_; }  // in octets

 private:
  std::vector<ByteView> views_;
  std::vector<Bytes> kept_;
  size_t size_ = 0;
};

}  // namespace socksify

#endif  // LIB_BASE_PIECES_H_
