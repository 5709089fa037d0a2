// The server engine at a client that says anything at all: the methods gssapi (a framed layer
// without cryptography in its place, so that the fuzzer gets behind it), userpass and none.
#include "lib/engine/server_engine.h"

#include "lib/security/clear_layer.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/fake_layer.h"

namespace socksify {
namespace {

std::unique_ptr<SecurityLayer> NewLayer(Method method, const ServerPolicy& policy) {
  if (method == Method::kGssapi) return std::make_unique<FramedFakeLayer>();
  if (method == Method::kUserpass) return NewUserpassAcceptor(policy.users);
  return method == Method::kNone ? NewClearLayer() : nullptr;
}

}  // namespace
}  // namespace socksify

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* octets, size_t count) {
  using namespace socksify;
  using State = ServerEngine::State;
  static const ServerPolicy& policy =
      *new ServerPolicy{.methods = {Method::kGssapi, Method::kUserpass, Method::kNone},
                        .gss_credential = nullptr,
                        .users = UserDatabase({{"a", {Secret("b")}}})};
  Dealer dealer(octets, count);
  const uint8_t choices = dealer.Octet();
  auto engine = ServerEngine::New(policy, NewLayer);
  size_t fed = 0;
  while (!dealer.empty()) {
    const Bytes piece = dealer.Piece(SIZE_MAX);
    fed += piece.size();
    engine->Feed(piece);
    const bool due = engine->state() == State::kRequest || engine->state() == State::kListening;
    if (due && (choices & 1) == 0) {
      (void)engine->request().destination.ToString();
      engine->Answer(static_cast<Reply>((choices & 2) != 0 ? choices >> 4 : 0),
                     Address::Ipv4({192, 0, 2, 1}, 80));
    }
    if (engine->state() == State::kRelaying && (choices & 4) != 0) {
      (void)engine->SendPlaintext(piece);
    }
    if (engine->state() == State::kAssociated) {
      FUZZ_CHECK(engine->plaintext().empty());
      FUZZ_CHECK(engine->layer().relays_datagrams());
    }
    FUZZ_CHECK((engine->state() == State::kFailed) == !engine->error().ok());
    FUZZ_CHECK(engine->plaintext().size() <= fed);
    if ((choices & 8) != 0) engine->output().clear();
  }
  engine->FeedEof();
  engine->FeedEof();
  return 0;
}
