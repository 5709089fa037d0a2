#include "lib/security/message_protection.h"

#include <string>

#include "lib/wire/frame.h"

namespace socksify {

Result<ByteSpan> MessageProtection::TokenOfDatagram(ByteSpan datagram) {
  auto head = ParseFrameHead(datagram);
  if (!head.ok()) return head.status();
  if (head->size != datagram.size() || head->size == kFrameHeaderSize ||
      static_cast<MessageType>(head->type) != MessageType::kUserData) {
    return {Errc::kMalformed, "a datagram is not one message of the session"};
  }
  return datagram.subspan(kFrameHeaderSize);
}

Status MessageProtection::NotConfidential() {
  return {Errc::kPolicy, "a message came without the confidentiality that was agreed"};
}

Status MessageProtection::FrameTooLarge(size_t size) {
  return {Errc::kUnsupported, "a frame cannot hold " + std::to_string(size) + " octets"};
}

}  // namespace socksify
