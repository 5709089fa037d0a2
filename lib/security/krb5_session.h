// The messages of one Kerberos context, made and opened without the library: keys, numbers, and
// what may come next. Private to lib/security.
//
// The two directions are independent: each has a lock of its own, so any thread may call anything.
#ifndef LIB_SECURITY_KRB5_SESSION_H_
#define LIB_SECURITY_KRB5_SESSION_H_

#include <memory>
#include <mutex>
#include <vector>

#include "lib/security/krb5_token.h"
#include "lib/security/krb5_window.h"

namespace socksify {

class Krb5Session {
 public:
  // The numbers of the next token of ours and of the peer's.
  Krb5Session(Krb5Context context, uint64_t send_next, uint64_t receive_next)
      : context_(std::move(context)),
        sealer_(context_),
        send_next_(send_next),
        opener_(context_),
        window_(receive_next) {}

  bool ordered() const { return context_.ordered; }

  // How much longer than its plaintext a token of ours is.
  size_t Overhead(bool confidential) const {
    return WrapTokenOverhead(*context_.enctype, confidential);
  }

  // Appends the token of ours that comes next. An error leaves `out` as it was.
  Status Seal(bool confidential, ByteView plain, Bytes* out);

  // The same for several at a time: the first number of `tokens` tokens of ours that come next.
  // Then any thread may make one of them; each lane, of 0 to `tokens` - 1, is for one thread at a
  // time.
  uint64_t TakeNumbers(size_t tokens);
  Status SealApart(uint64_t number, size_t lane, bool confidential, ByteView plain, Bytes* out);
  void ForgetLanes() { lanes_.clear(); }

  // Opens, in place, a token of the peer's that is whole and unaltered and is
  enum class Order : uint8_t {
    kStrict,  // exactly the next one: of a stream
    kLoose,   // none that has come before: of datagrams, which may be missing or reordered
  };
  // kIntegrity otherwise; it is not taken then, and the next one may be.
  Result<TokenOpener::Opened> Open(Order order, ByteSpan token);

  // What Open() is called with the next two times, at these very addresses: they may be worked at
  // together, and hold anything from now on. Nothing else is opened in between, a datagram neither.
  void Expect(ByteSpan token, ByteSpan next);

  // The session for another process, or this one, to go on with: secret octets. One that goes on
  // takes no token that is behind the highest one so far.
  Bytes Export();
  // Any octets; null unless they are a session.
  static std::unique_ptr<Krb5Session> Import(ByteView state);

 private:
  struct Recalled {
    ByteSpan token;
    Result<TokenOpener::Opened> opened;
  };
  Result<TokenOpener::Opened> OpenOrRecall(ByteSpan token);  // with receive_mutex_ held

  const Krb5Context context_;

  std::mutex send_mutex_;
  TokenSealer sealer_;                               // guarded by send_mutex_
  uint64_t send_next_;                               // likewise
  std::vector<std::unique_ptr<TokenSealer>> lanes_;  // each has keys of its own

  std::mutex receive_mutex_;
  TokenOpener opener_;                  // guarded by receive_mutex_
  ReceiveWindow window_;                // likewise
  std::unique_ptr<TokenOpener> other_;  // likewise; from the first Expect() on
  std::vector<Recalled> recalled_;      // likewise; opened ahead, the last one first
};

}  // namespace socksify

#endif  // LIB_SECURITY_KRB5_SESSION_H_
