// Which numbers of tokens have come, and whether another may (RFC 4121 section 4.2.2). Private to
// security/krb5_*.
#ifndef LIB_SECURITY_KRB5_WINDOW_H_
#define LIB_SECURITY_KRB5_WINDOW_H_

#include <array>
#include <cstddef>
#include <cstdint>

namespace socksify {

class ReceiveWindow {
 public:
  // Numbers that many and more behind the highest one cannot be told from those that have come.
  static constexpr size_t kSize = 1024;

  enum class Place : uint8_t {
    kNext,
    kAhead,      // tokens before it are missing
    kBehind,     // one of those
    kDuplicate,  // has come before
    kOld,        // so far behind that it may have
  };

  // `next` is the first number that is awaited: whatever is before that counts as having come.
  explicit ReceiveWindow(uint64_t next) : next_(next) { seen_.fill(~uint64_t{0}); }

  uint64_t next() const { return next_; }

  // Where a number is, in the arithmetic of 64 bits, in which the one before 0 is the highest.
  Place Find(uint64_t number) const;

  // An authentic token of this number has come; kNext, kAhead or kBehind.
  void Take(uint64_t number);

 private:
  static constexpr size_t kBits = 64;

  uint64_t& Word(uint64_t number) { return seen_[number % kSize / kBits]; }
  uint64_t Word(uint64_t number) const { return seen_[number % kSize / kBits]; }
  static uint64_t Bit(uint64_t number) { return uint64_t{1} << number % kBits; }

  uint64_t next_;
  std::array<uint64_t, kSize / kBits> seen_;  // a ring: of the kSize numbers before next_
};

}  // namespace socksify

#endif  // LIB_SECURITY_KRB5_WINDOW_H_
