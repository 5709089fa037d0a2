// Wrap tokens without a realm: anything at all, and tokens changed on their way, opened by a
// session of each enctype.
#include <memory>
#include <string>

#include "lib/security/krb5_session.h"
#include "tests/fuzz/fuzz.h"

namespace socksify {
namespace {

constexpr uint64_t kFirst = 1000;

std::unique_ptr<Krb5Session> Session(int enctype, bool initiator, bool acceptor_subkey) {
  const Krb5Enctype* found = FindKrb5Enctype(enctype);
  return std::make_unique<Krb5Session>(Krb5Context{found, Secret(std::string(found->key_size, 'k')),
                                                   initiator, acceptor_subkey, true},
                                       kFirst, kFirst);
}

struct Pair {
  std::unique_ptr<Krb5Session> from, to;

  explicit Pair(uint8_t choices) {
    const int enctype = 17 + (choices & 3);
    const bool initiator = (choices & 4) != 0, acceptor_subkey = (choices & 8) != 0;
    from = Session(enctype, initiator, acceptor_subkey);
    to = Session(enctype, !initiator, acceptor_subkey);
  }
};

// Nobody without the key makes one, wherever its octets come from.
void TryAnyToken(Dealer& dealer) {
  const uint8_t choices = dealer.Octet();
  Pair pair(choices);
  Bytes token = dealer.Rest();
  if ((choices & 16) != 0) {
    const uint8_t start[] = {0x05, 0x04, static_cast<uint8_t>(choices >> 5), 0xff};
    token.insert(token.begin(), std::begin(start), std::end(start));
  }
  token.shrink_to_fit();
  FUZZ_CHECK(!pair.to->Open(Krb5Session::Order::kLoose, token).ok());
}

// A token with some of its octets replaced is refused, or is (RRC) the same plaintext after all;
// the one that follows is opened either way.
void TryChangedToken(Dealer& dealer) {
  const uint8_t choices = dealer.Octet();
  const bool confidential = (choices & 16) != 0;
  Pair pair(choices);
  const Bytes plain = dealer.Piece(100);
  Bytes token;
  FUZZ_CHECK(pair.from->Seal(confidential, plain, &token).ok());
  FUZZ_CHECK(token.size() == plain.size() + pair.from->Overhead(confidential));
  while (!dealer.empty()) {
    const size_t at = dealer.Octet() % token.size();
    token[at] = dealer.Octet();
  }
  token.shrink_to_fit();
  Bytes next;
  FUZZ_CHECK(pair.from->Seal(confidential, plain, &next).ok());
  next.shrink_to_fit();
  if ((choices & 32) != 0) pair.to->Expect(token, next);
  auto opened = pair.to->Open(Krb5Session::Order::kStrict, token);
  if (opened.ok()) FUZZ_CHECK(std::ranges::equal(opened->plain, plain));
  auto after = pair.to->Open(Krb5Session::Order::kLoose, next);
  FUZZ_CHECK(after.ok() && std::ranges::equal(after->plain, plain));
}

// Anything as an exported session: refused, or one that goes on and is exported as it came.
void TryState(Dealer& dealer) {
  Bytes state = dealer.Rest();
  state.shrink_to_fit();
  auto session = Krb5Session::Import(state);
  if (session == nullptr) return;
  FUZZ_CHECK(session->Export() == state);
  Bytes token;
  FUZZ_CHECK(session->Seal(true, AsBytes("data"), &token).ok());
}

}  // namespace
}  // namespace socksify

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* octets, size_t count) {
  using namespace socksify;
  Dealer dealer(octets, count);
  switch (dealer.Octet() % 3) {
    case 0:
      TryAnyToken(dealer);
      break;
    case 1:
      TryChangedToken(dealer);
      break;
    default:
      TryState(dealer);
  }
  return 0;
}
