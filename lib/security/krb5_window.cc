#include "lib/security/krb5_window.h"

#include <algorithm>

namespace socksify {

ReceiveWindow::Place ReceiveWindow::Find(uint64_t number) const {
  if (number == next_) return Place::kNext;
  const uint64_t behind = next_ - number;
  if (behind > UINT64_MAX / 2) return Place::kAhead;
  if (behind > kSize) return Place::kOld;
  return (Word(number) & Bit(number)) != 0 ? Place::kDuplicate : Place::kBehind;
}

void ReceiveWindow::Take(uint64_t number) {
  const uint64_t ahead = number - next_;
  if (ahead <= UINT64_MAX / 2) {
    // The numbers passed over take the places of as many that drop out.
    if (ahead >= kSize) {
      seen_.fill(0);
    } else {
      for (uint64_t missing = next_; missing != number; missing++) Word(missing) &= ~Bit(missing);
    }
    next_ = number + 1;
  }
  Word(number) |= Bit(number);
}

}  // namespace socksify
