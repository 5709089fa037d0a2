// Sealing and opening, per level and size, beside what gss_wrap and gss_unwrap themselves take.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <ctime>
#include <vector>

#include "tests/bench/gss_contexts.h"

namespace socksify {
namespace {

// Seconds of processor that this thread has taken: what else runs on the machine does not count.
double Now() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

constexpr size_t kBatchOctets = 1 << 20;
constexpr size_t kMostMessages = 256;
constexpr char kNoRealm[] = "no Kerberos realm: use make bench";

ProtectionLevel LevelOf(const benchmark::State& state) {
  return static_cast<ProtectionLevel>(state.range(0));
}

// Messages that one iteration seals or opens, so that reading the clock costs nothing.
size_t Batch(size_t size) { return std::clamp<size_t>(kBatchOctets / size, 1, kMostMessages); }

// Runs `prepare` untimed and `work` timed, each for one batch.
template <typename Prepare, typename Work>
void Measure(benchmark::State& state, size_t size, Prepare prepare, Work work) {
  const size_t batch = Batch(size);
  for (auto _ : state) {
    prepare(batch);
    const double start = Now();
    const bool good = work(batch);
    state.SetIterationTime(Now() - start);
    if (!good) return state.SkipWithError("a message failed");
  }
  const auto messages = static_cast<int64_t>(state.iterations() * batch);
  state.SetItemsProcessed(messages);
  state.SetBytesProcessed(messages * static_cast<int64_t>(size));
}

void Seal(benchmark::State& state) {
  LayerPair pair;
  if (!Establish(pair, LevelOf(state))) return state.SkipWithError(kNoRealm);
  const size_t size = std::min(static_cast<size_t>(state.range(1)), pair.client->MaxPlaintext());
  const Bytes plain(size, 'x');
  Bytes frame;
  Measure(
      state, size, [](size_t) {},
      [&](size_t batch) {
        for (size_t i = 0; i < batch; i++) {
          frame.clear();
          if (!pair.client->Seal(plain, &frame).ok()) return false;
        }
        return true;
      });
}

void Open(benchmark::State& state) {
  LayerPair pair;
  if (!Establish(pair, LevelOf(state))) return state.SkipWithError(kNoRealm);
  const size_t size = std::min(static_cast<size_t>(state.range(1)), pair.client->MaxPlaintext());
  const Bytes plain(size, 'x');
  std::vector<Bytes> frames(Batch(size));
  Measure(
      state, size,
      [&](size_t) {
        for (Bytes& frame : frames) {
          frame.clear();
          (void)pair.client->Seal(plain, &frame);
        }
      },
      [&](size_t) {
        return std::all_of(frames.begin(), frames.end(),
                           [&](Bytes& frame) { return pair.server->Open(frame).ok(); });
      });
}

bool Wrap(ContextPair& pair, ProtectionLevel level, const Bytes& plain, gss_buffer_t token) {
  gss_buffer_desc in = GssInput(plain);
  OM_uint32 minor;
  return gss_wrap(&minor, pair.client.get(), level == ProtectionLevel::kConfidentiality,
                  GSS_C_QOP_DEFAULT, &in, nullptr, token) == GSS_S_COMPLETE;
}

void GssWrap(benchmark::State& state) {
  ContextPair pair;
  if (!Establish(pair)) return state.SkipWithError(kNoRealm);
  const Bytes plain(static_cast<size_t>(state.range(1)), 'x');
  Measure(
      state, plain.size(), [](size_t) {},
      [&](size_t batch) {
        for (size_t i = 0; i < batch; i++) {
          GssBuffer token;
          if (!Wrap(pair, LevelOf(state), plain, token.get())) return false;
        }
        return true;
      });
}

void GssUnwrap(benchmark::State& state) {
  ContextPair pair;
  if (!Establish(pair)) return state.SkipWithError(kNoRealm);
  const Bytes plain(static_cast<size_t>(state.range(1)), 'x');
  std::vector<GssBuffer> tokens;
  Measure(
      state, plain.size(),
      [&](size_t batch) {
        tokens = std::vector<GssBuffer>(batch);
        for (GssBuffer& token : tokens) (void)Wrap(pair, LevelOf(state), plain, token.get());
      },
      [&](size_t) {
        return std::all_of(tokens.begin(), tokens.end(), [&](GssBuffer& token) {
          GssBuffer opened;
          OM_uint32 minor;
          return gss_unwrap(&minor, pair.server.get(), token.get(), opened.get(), nullptr,
                            nullptr) == GSS_S_COMPLETE;
        });
      });
}

void LevelsAndSizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->UseManualTime()->ArgNames({"level", "octets"});
  for (int level : {1, 2}) {
    for (int size : {1, 64, 1024, 16384, 65536}) benchmark->Args({level, size});
  }
}
BENCHMARK(Seal)->Apply(LevelsAndSizes);
BENCHMARK(GssWrap)->Apply(LevelsAndSizes);
BENCHMARK(Open)->Apply(LevelsAndSizes);
BENCHMARK(GssUnwrap)->Apply(LevelsAndSizes);

}  // namespace
}  // namespace socksify
