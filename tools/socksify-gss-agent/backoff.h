// How long to wait before what has failed is tried again: longer each time, until it has been well.
#ifndef TOOLS_SOCKSIFY_GSS_AGENT_BACKOFF_H_
#define TOOLS_SOCKSIFY_GSS_AGENT_BACKOFF_H_

#include <algorithm>
#include <cstdint>

namespace socksify {

class Backoff {
 public:
  uint64_t NextMs() { return ms_ = ms_ == 0 ? kFirstMs : std::min(ms_ * 2, kLongestMs); }

  // It was well for so long, before it ended. True: so long that there is nothing to wait for.
  bool Lasted(uint64_t for_ms) {
    const bool enough = for_ms > ms_;
    if (for_ms > kLongestMs) ms_ = 0;
    return enough;
  }

 private:
  static constexpr uint64_t kFirstMs = 100;
  static constexpr uint64_t kLongestMs = 10'000;

  uint64_t ms_ = 0;
};

}  // namespace socksify

#endif  // TOOLS_SOCKSIFY_GSS_AGENT_BACKOFF_H_
