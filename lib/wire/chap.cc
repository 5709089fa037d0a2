#include "lib/wire/chap.h"

#include <algorithm>

namespace socksify {

const Bytes* ChapMessage::Find(ChapAttribute attribute) const {
  auto found = std::ranges::find(assertions, attribute, &std::pair<ChapAttribute, Bytes>::first);
  return found == assertions.end() ? nullptr : &found->second;
}

Status AppendChapMessage(Bytes& to, const ChapMessage& message) {
  constexpr size_t kMost = 255;  // one octet, of assertions and of octets in a value
  const bool fits = std::ranges::all_of(
      message.assertions, [](const auto& assertion) { return assertion.second.size() <= kMost; });
  if (!fits || message.assertions.empty() || message.assertions.size() > kMost) {
    return {Errc::kConfig, "a CHAP message cannot hold that (a user name of over 255 octets?)"};
  }
  to.push_back(kChapVersion);
  to.push_back(static_cast<uint8_t>(message.assertions.size()));
  for (const auto& [attribute, value] : message.assertions) {
    to.push_back(static_cast<uint8_t>(attribute));
    to.push_back(static_cast<uint8_t>(value.size()));
    Append(to, value);
  }
  return {};
}

Result<Parsed<ChapMessage>> ParseChapMessage(ByteView octets) {
  using Found = Parsed<ChapMessage>;
  constexpr size_t kHead = 2;
  if (!octets.empty() && octets[0] != kChapVersion) {
    return {Errc::kMalformed, "a CHAP message of unknown version (0x" + Hex(octets.first(1)) + ")"};
  }
  if (octets.size() < kHead) return Found::Needs(kHead - octets.size());
  size_t left = octets[1];
  if (left == 0) return {Errc::kMalformed, "a CHAP message that says nothing"};
  Found found;
  size_t at = kHead;
  for (; left != 0; left--) {
    const ByteView rest = octets.subspan(at);
    const size_t whole = rest.size() < kHead ? kHead : kHead + rest[1];
    // Every assertion behind this one has two octets at the least.
    if (rest.size() < whole) return Found::Needs(whole - rest.size() + (left - 1) * kHead);
    const ByteView value = rest.subspan(kHead, rest[1]);
    found.message.assertions.emplace_back(static_cast<ChapAttribute>(rest[0]),
                                          Bytes(value.begin(), value.end()));
    at += whole;
  }
  found.size = at;
  return found;
}

}  // namespace socksify
