// The client engine at a server that says anything at all, with the methods none, userpass and,
// where the environment has a realm (`make fuzz` gives one), gssapi.
#include "lib/engine/client_engine.h"

#include <string>

#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* octets, size_t count) {
  using namespace socksify;
  Dealer dealer(octets, count);
  const uint8_t choices = dealer.Octet();
  Config config;
  config.methods.clear();
  if ((choices & 1) != 0 && getenv("KRB5_KTNAME") != nullptr) {
    config.methods.push_back(Method::kGssapi);
  }
  if ((choices & 2) != 0) config.methods.push_back(Method::kUserpass);
  config.methods.push_back(Method::kNone);
  config.gss_nec = (choices & 4) != 0;
  config.user = "alice";
  config.password = Secret("wonderland");
  std::optional<Request> request;
  if ((choices & 8) == 0) {
    const auto command = static_cast<Command>(1 + (choices >> 5) % 3);
    request = {command, Address::Name("host", 80)};
  }

  auto engine = ClientEngine::New(config, {"localhost", 1080}, request);
  FUZZ_CHECK(engine->Prepare().ok());
  while (!dealer.empty() && engine->state() == ClientEngine::State::kNegotiating) {
    FUZZ_CHECK(engine->WantedOctets() != 0);
    engine->ConsumeOutput(dealer.Octet());
    engine->Feed(dealer.Piece(engine->WantedOctets()));
  }
  if ((choices & 16) != 0) engine->FeedEof();
  FUZZ_CHECK((engine->state() == ClientEngine::State::kFailed) == !engine->error().ok());
  if (engine->state() != ClientEngine::State::kNegotiating) FUZZ_CHECK(engine->WantedOctets() == 0);
  if (engine->state() == ClientEngine::State::kEstablished) {
    (void)engine->TakeEarlyData();
    // Nobody without the keys gets through RFC 1961 to the end.
    FUZZ_CHECK(!engine->TakeLayer()->framed());
  }
  return 0;
}
