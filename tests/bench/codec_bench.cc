// The codecs that every message passes.
#include <benchmark/benchmark.h>

#include "lib/wire/frame.h"
#include "lib/wire/socks5.h"

namespace socksify {
namespace {

void FrameHeader(benchmark::State& state) {
  uint8_t header[kFrameHeaderSize];
  uint16_t length = 0;
  for (auto _ : state) {
    WriteFrameHeader(header, static_cast<uint8_t>(MessageType::kUserData), length++);
    benchmark::DoNotOptimize(header);
    benchmark::DoNotOptimize(ParseFrameHead(header));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(FrameHeader);

void RequestByName(benchmark::State& state) {
  const Request request = {Command::kConnect, Address::Name("www.example.com", 443)};
  Bytes octets;
  for (auto _ : state) {
    octets.clear();
    if (!AppendRequest(octets, request).ok()) return state.SkipWithError("not appended");
    benchmark::DoNotOptimize(ParseRequest(octets));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(RequestByName);

}  // namespace
}  // namespace socksify
