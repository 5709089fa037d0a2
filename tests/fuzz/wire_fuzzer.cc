// The codecs and the state of a session: nothing is read past its end, an unfinished message asks
// for more, a finished one is written back as the same message.
#include "lib/engine/datagram_codec.h"
#include "lib/io/agent_protocol.h"
#include "lib/io/session_state.h"
#include "lib/security/clear_layer.h"
#include "lib/wire/datagram.h"
#include "lib/wire/frame.h"
#include "lib/wire/socks5.h"
#include "lib/wire/userpass.h"
#include "tests/fuzz/fuzz.h"

namespace socksify {
namespace {

// True when `parsed` is a whole message.
template <typename Message>
bool Whole(const Result<Parsed<Message>>& parsed, size_t came) {
  if (!parsed.ok()) {
    FUZZ_CHECK(!parsed.status().ok());
    return false;
  }
  FUZZ_CHECK(parsed->size <= came);
  FUZZ_CHECK(parsed->complete() != (parsed->missing != 0));
  return parsed->complete();
}

void TryGreeting(const Bytes& octets) {
  auto parsed = ParseGreeting(octets);
  if (!Whole(parsed, octets.size())) return;
  Bytes again;
  AppendGreeting(again, parsed->message);
  FUZZ_CHECK(std::ranges::equal(again, ByteView(octets).first(parsed->size)));
}

void TryChoice(const Bytes& octets) {
  auto parsed = ParseChoice(octets);
  if (Whole(parsed, octets.size())) (void)MethodName(parsed->message.method);
}

void TryRequest(const Bytes& octets) {
  auto parsed = ParseRequest(octets);
  if (!Whole(parsed, octets.size())) return;
  (void)parsed->message.destination.ToString();
  Bytes again;
  FUZZ_CHECK(AppendRequest(again, parsed->message).ok());
  auto second = ParseRequest(again);  // a v4-mapped address comes back as IPv4
  FUZZ_CHECK(second.ok() && second->size == again.size());
  FUZZ_CHECK(second->message.destination == parsed->message.destination);
}

void TryReply(const Bytes& octets, bool at_end) {
  auto parsed = ParseReply(octets, at_end);
  if (!Whole(parsed, octets.size())) return;
  (void)ReplyText(parsed->message.reply);
  FUZZ_CHECK((ReplyErrc(parsed->message.reply) == Errc::kOk) ==
             (parsed->message.reply == Reply::kSucceeded));
  Bytes again;
  FUZZ_CHECK(AppendReply(again, parsed->message).ok());
  auto second = ParseReply(again);
  FUZZ_CHECK(second.ok() && second->message.bound == parsed->message.bound);
}

void TryUserpass(const Bytes& octets) {
  auto reply = ParseUserpassReply(octets);
  (void)Whole(reply, octets.size());
  auto parsed = ParseUserpassRequest(octets);
  if (!Whole(parsed, octets.size())) return;
  Bytes again;
  FUZZ_CHECK(AppendUserpassRequest(again, parsed->message).ok());
  FUZZ_CHECK(std::ranges::equal(again, ByteView(octets).first(parsed->size)));
}

void TryFrame(const Bytes& octets) {
  auto head = ParseFrameHead(octets);
  if (!head.ok()) return;
  FUZZ_CHECK((head->size == 0) == (head->missing != 0));
  FUZZ_CHECK(head->size <= kMaxFrameSize);
  if (head->size == 0) FUZZ_CHECK(octets.size() + head->missing <= kFrameHeaderSize);
}

void TryDatagram(const Bytes& octets) {
  Bytes datagram = octets;
  auto opened = OpenDatagram(*NewClearLayer(), datagram);
  FUZZ_CHECK(opened.ok() == ParseDatagramHead(octets).ok());
  if (!opened.ok()) return;
  FUZZ_CHECK(opened->data.size() < octets.size());
  Bytes again;
  FUZZ_CHECK(AppendDatagramHead(again, opened->address).ok());
  FUZZ_CHECK(again.size() == DatagramHeadSize(opened->address));
  auto second = ParseDatagramHead(again);
  FUZZ_CHECK(second.ok() && second->size == again.size() && second->address == opened->address);
}

void TryAgentMessages(const Bytes& octets) {
  auto request = DecodeAgentRequest(octets);
  if (request.ok()) {
    auto again = DecodeAgentRequest(EncodeAgentRequest(*request));
    FUZZ_CHECK(again.ok() && again->kind == request->kind && again->wait == request->wait &&
               again->own == request->own && again->peer == request->peer);
  }
  auto reply = DecodeAgentReply(octets);
  if (reply.ok()) {
    auto again = DecodeAgentReply(EncodeAgentReply(*reply));
    FUZZ_CHECK(again.ok() && again->error == reply->error && again->peer == reply->peer &&
               again->max_data == reply->max_data && reply->message.starts_with(again->message));
  }
}

void TrySessionState(const Bytes& octets) {
  auto state = DecodeSessionState(octets);
  if (state.ok()) FUZZ_CHECK(EncodeSessionState(*state) == octets);
}

}  // namespace
}  // namespace socksify

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* octets, size_t count) {
  using namespace socksify;
  const Bytes input(octets, octets + count);
  TryGreeting(input);
  TryChoice(input);
  TryRequest(input);
  TryReply(input, false);
  TryReply(input, true);
  TryUserpass(input);
  TryFrame(input);
  TrySessionState(input);
  TryDatagram(input);
  TryAgentMessages(input);
  return 0;
}
