// Datagrams read and written many at a time, in buffers that a whole loop shares: what is received
// is sealed or opened from where it lies, and nothing stays here between two calls of the loop. For
// the loop's thread only.
#ifndef TOOLS_SOCKSIFY_GSS_AGENT_BATCH_H_
#define TOOLS_SOCKSIFY_GSS_AGENT_BATCH_H_

#include <array>
#include <memory>

#include "lib/base/bytes.h"

namespace socksify {

class Batch {
 public:
  static constexpr size_t kMost = 32;

  // Reads what there is, at most kMost. `*error` is errno when that is nothing.
  size_t Receive(int fd, int* error);

  // Of those: one, writable, valid until the next Receive().
  ByteSpan received(size_t index) { return {Room(index), sizes_[index]}; }

  // The same with `head` before it. A head has at most kHeadRoom octets.
  static constexpr size_t kHeadRoom = 262;  // of a name of 255 octets
  ByteSpan Prefixed(size_t index, ByteView head);

  // Buffers for what is to be sent; they keep what they have allocated.
  Bytes& sealed(size_t index) { return sealed_[index]; }

 private:
  static constexpr size_t kRoom = kHeadRoom + 65536;

  uint8_t* Room(size_t index) { return room_.get() + index * kRoom + kHeadRoom; }

  const std::unique_ptr<uint8_t[]> room_{new uint8_t[kMost * kRoom]};
  std::array<size_t, kMost> sizes_ = {};
  std::array<Bytes, kMost> sealed_;
};

// Writes datagrams to where the socket is connected to, at most Batch::kMost. Returns how many are
// done with: all but those behind one that was met by EAGAIN, or by ECONNREFUSED (`*error`: 0
// otherwise). One that cannot be sent for another reason is dropped.
size_t SendDatagrams(int fd, const ByteView* datagrams, size_t count, int* error);

}  // namespace socksify

#endif  // TOOLS_SOCKSIFY_GSS_AGENT_BATCH_H_
