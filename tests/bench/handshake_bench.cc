// Whole handshakes, the client's engine against the server's in memory: greeting to reply.
#include <benchmark/benchmark.h>

#include "lib/engine/client_engine.h"
#include "lib/engine/server_engine.h"

namespace socksify {
namespace {

// One handshake; false when either side fails.
bool ShakeHands(const Config& config, const ServerPolicy& policy) {
  const Request request = {Command::kConnect, Address::Name("www.example.com", 443)};
  auto client = ClientEngine::New(config, config.servers[0], request);
  auto server = ServerEngine::New(policy);
  if (!client->Prepare().ok()) return false;
  while (client->state() == ClientEngine::State::kNegotiating) {
    server->Feed(client->output());
    client->ConsumeOutput(client->output().size());
    if (server->state() == ServerEngine::State::kRequest) {
      server->Answer(Reply::kSucceeded, Address::Ipv4({192, 0, 2, 1}, 443));
    }
    Bytes& answer = server->output();
    if (answer.empty()) return false;  // nobody has anything to say
    while (!answer.empty()) {
      const size_t taken = std::min(answer.size(), client->WantedOctets());
      if (taken == 0) return false;
      client->Feed(ByteView(answer).first(taken));
      answer.erase(answer.begin(), answer.begin() + static_cast<ptrdiff_t>(taken));
    }
  }
  return client->state() == ClientEngine::State::kEstablished &&
         server->state() == ServerEngine::State::kRelaying;
}

void Handshakes(benchmark::State& state, Method method) {
  Config config;
  config.servers = {{"localhost", 1080}};
  config.methods = {method};
  config.user = "alice";
  config.password = Secret("wonderland");
  ServerPolicy policy;
  policy.methods = {method};
  policy.users = UserDatabase({{"alice", {Secret("wonderland")}}});
  for (auto _ : state) {
    if (!ShakeHands(config, policy)) return state.SkipWithError("failed: use make bench");
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_CAPTURE(Handshakes, gssapi, Method::kGssapi)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Handshakes, userpass, Method::kUserpass)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Handshakes, none, Method::kNone)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace socksify
