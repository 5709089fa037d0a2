// The SSL method: sealing and opening, live in GnuTLS and handed over; a handshake, whole and
// resumed.
#include <benchmark/benchmark.h>

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "lib/security/ssl_layer.h"
#include "tests/unit/ssl_pki.h"

namespace socksify {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kBatchOctets = 1 << 20;

struct Layers {
  std::unique_ptr<SecurityLayer> client, server;
};

std::shared_ptr<const SslAcceptorCredential> Credential() {
  const std::string& file = TestPki().server.file();
  auto credential = AcquireSslAcceptorCredential(file, file, {}, {});
  return credential.ok() ? *credential : nullptr;
}

// False when either side fails. `name` tells the client's tickets from those of others.
bool Establish(Layers& layers, const std::shared_ptr<const SslAcceptorCredential>& credential,
               const std::string& host) {
  layers.client = NewSslInitiator(
      {.server_host = host, .tls_ca = TestPki().ca.file(), .tls_name = "localhost"});
  layers.server = NewSslAcceptor({.credential = credential});
  Bytes to_server, to_client;
  bool client = false, server = false;
  for (int turn = 0; turn < 8 && !(client && server); turn++) {
    for (bool up : {true, false}) {
      if (up ? client : server) continue;
      Bytes& input = up ? to_client : to_server;
      size_t consumed = 0;
      auto done = (up ? layers.client : layers.server)
                      ->Negotiate(input, &consumed, up ? &to_server : &to_client);
      if (!done.ok()) return false;
      input.erase(input.begin(), input.begin() + static_cast<ptrdiff_t>(consumed));
      (up ? client : server) = *done;
    }
  }
  return client && server;
}

bool HandOver(std::unique_ptr<SecurityLayer>* layer) {
  auto state = (*layer)->Export();
  if (!state.ok()) return false;
  auto imported = ImportSecurityLayer(*state);
  if (!imported.ok()) return false;
  *layer = std::move(*imported);
  return true;
}

// `work` seals into frames or opens them; what is not measured, the other half, is done untimed.
void Measure(benchmark::State& state, bool open, bool imported) {
  Layers layers;
  if (!Establish(layers, Credential(), "localhost")) return state.SkipWithError("no session");
  if (imported && !(HandOver(&layers.client) && HandOver(&layers.server))) {
    return state.SkipWithError("no session to hand over");
  }
  const size_t size = std::min(static_cast<size_t>(state.range(0)), layers.client->MaxPlaintext());
  const size_t batch = std::max<size_t>(kBatchOctets / size, 1);
  const Bytes plain(size, 'x');
  std::vector<Bytes> frames(batch);
  bool good = true;
  for (auto _ : state) {
    for (Bytes& frame : frames) frame.clear();
    const auto start = Clock::now();
    for (Bytes& frame : frames) good = layers.client->Seal(plain, &frame).ok() && good;
    const auto sealed = Clock::now();
    for (Bytes& frame : frames) good = layers.server->Open(frame).ok() && good;
    const auto took = open ? Clock::now() - sealed : sealed - start;
    state.SetIterationTime(std::chrono::duration<double>(took).count());
    if (!good) return state.SkipWithError("a message failed");
  }
  const auto messages = static_cast<int64_t>(state.iterations() * batch);
  state.SetItemsProcessed(messages);
  state.SetBytesProcessed(messages * static_cast<int64_t>(size));
}

void SslSeal(benchmark::State& state) { Measure(state, false, false); }
void SslOpen(benchmark::State& state) { Measure(state, true, false); }
void SslSealHandedOver(benchmark::State& state) { Measure(state, false, true); }
void SslOpenHandedOver(benchmark::State& state) { Measure(state, true, true); }
BENCHMARK(SslSeal)->UseManualTime()->ArgName("octets")->Arg(16384)->Arg(65536);
BENCHMARK(SslOpen)->UseManualTime()->ArgName("octets")->Arg(16384)->Arg(65536);
BENCHMARK(SslSealHandedOver)->UseManualTime()->ArgName("octets")->Arg(16384)->Arg(65536);
BENCHMARK(SslOpenHandedOver)->UseManualTime()->ArgName("octets")->Arg(16384)->Arg(65536);

void SslHandshakes(benchmark::State& state, bool resumed) {
  const auto credential = Credential();
  Layers layers;
  if (!Establish(layers, credential, "resumed")) return state.SkipWithError("no session");
  int fresh = 0;
  for (auto _ : state) {
    // A name that nobody has a ticket for.
    const std::string host = resumed ? "resumed" : "fresh" + std::to_string(fresh++);
    if (!Establish(layers, credential, host)) return state.SkipWithError("no session");
  }
  const auto details = layers.client->Summary().details;
  const bool was = std::map(details.begin(), details.end())["resumed"] == "yes";
  if (was != resumed) return state.SkipWithError("resumed or not, against what was wanted");
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_CAPTURE(SslHandshakes, whole, false)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(SslHandshakes, resumed, true)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace socksify
