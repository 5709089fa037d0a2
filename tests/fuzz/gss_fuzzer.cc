// The GSS-API method over real contexts, where the environment has a realm (`make fuzz` gives one):
// the acceptor at a client that says anything; and frames of a session, changed on their way.
#include "lib/security/gss_layer.h"

#include "tests/fuzz/fuzz.h"

namespace socksify {
namespace {

// Feeds what is left to the acceptor. Nobody without a ticket gets in.
void TryAcceptor(Dealer& dealer) {
  auto acceptor = NewGssAcceptor({.credential = nullptr, .nec = true});
  Bytes input, output;
  while (!dealer.empty()) {
    Append(input, dealer.Piece(SIZE_MAX));
    size_t consumed = 0;
    auto done = acceptor->Negotiate(input, &consumed, &output);
    FUZZ_CHECK(consumed <= input.size());
    if (!done.ok()) return;
    FUZZ_CHECK(!*done);
    FUZZ_CHECK(acceptor->WantedOctets() != 0);
    input.erase(input.begin(), input.begin() + static_cast<ptrdiff_t>(consumed));
  }
}

struct Session {
  std::unique_ptr<SecurityLayer> client, server;

  explicit Session(ProtectionLevel level, bool ordered = true) {
    client = NewGssInitiator({.server_host = "localhost", .level = level, .ordered = ordered});
    server = NewGssAcceptor({.credential = nullptr});
    Bytes to_server, to_client;
    bool client_done = false, server_done = false;
    for (int turn = 0; turn < 4 && !(client_done && server_done); turn++) {
      client_done = Turn(*client, to_client, &to_server);
      server_done = server_done || Turn(*server, to_server, &to_client);
    }
    FUZZ_CHECK(client_done && server_done);
  }

  static bool Turn(SecurityLayer& layer, Bytes& input, Bytes* output) {
    size_t consumed = 0;
    auto done = layer.Negotiate(input, &consumed, output);
    FUZZ_CHECK(done.ok() && consumed == input.size());
    input.clear();
    return *done;
  }
};

// A frame with some of its octets replaced is refused, or is (RRC) the same plaintext after all.
void TryChangedFrame(Dealer& dealer) {
  const bool integrity = (dealer.Octet() & 1) != 0;
  Session session(integrity ? ProtectionLevel::kIntegrity : ProtectionLevel::kConfidentiality);
  const Bytes plain = dealer.Piece(100);
  if (plain.empty()) return;
  Bytes frame;
  FUZZ_CHECK(session.client->Seal(plain, &frame).ok());
  FUZZ_CHECK(frame.size() >= session.server->MinFrameSize());
  while (!dealer.empty()) {
    const size_t at = dealer.Octet() % frame.size();
    frame[at] = dealer.Octet();
  }
  auto size = session.server->FrameSize(frame);
  if (!size.ok()) return;
  if (*size > frame.size()) return;
  frame.resize(*size);
  frame.shrink_to_fit();
  auto opened = session.server->Open(frame);
  if (opened.ok()) FUZZ_CHECK(std::ranges::equal(*opened, plain));
}

// Anything at all behind a good header, and behind the start of a token of RFC 4121.
void TryAnyFrame(Dealer& dealer) {
  const uint8_t choices = dealer.Octet();
  Session session((choices & 1) != 0 ? ProtectionLevel::kIntegrity
                                     : ProtectionLevel::kConfidentiality);
  Bytes token = dealer.Rest();
  if ((choices & 2) != 0) {
    const uint8_t start[] = {0x05, 0x04, static_cast<uint8_t>(choices >> 2 & 7), 0xff};
    token.insert(token.begin(), std::begin(start), std::end(start));
  }
  if (token.empty() || token.size() > kMaxTokenSize) return;
  Bytes frame(kFrameHeaderSize);
  WriteFrameHeader(frame, static_cast<uint8_t>(MessageType::kUserData),
                   static_cast<uint16_t>(token.size()));
  Append(frame, token);
  FUZZ_CHECK(!session.server->Open(frame).ok());
}

// The same of datagrams, whose errors end nothing.
void TryDatagrams(Dealer& dealer) {
  const uint8_t choices = dealer.Octet();
  Session session(
      (choices & 1) != 0 ? ProtectionLevel::kIntegrity : ProtectionLevel::kConfidentiality,
      /*ordered=*/(choices & 2) != 0);
  const Bytes plain = {'d', 'a', 't', 'a'};
  Bytes good;
  FUZZ_CHECK(session.client->SealDatagram(plain, &good).ok());
  bool came = false;
  while (!dealer.empty()) {
    Bytes datagram = good;
    if ((dealer.Octet() & 1) != 0) {
      datagram[dealer.Octet() % datagram.size()] = dealer.Octet();
    } else {
      datagram.resize((choices & 4) != 0 ? kFrameHeaderSize + 4 : 0);
      Append(datagram, dealer.Piece(200));
      if ((choices & 8) != 0 && datagram.size() >= kFrameHeaderSize) {
        WriteFrameHeader(ByteSpan(datagram).first(kFrameHeaderSize),
                         static_cast<uint8_t>(MessageType::kUserData),
                         static_cast<uint16_t>(datagram.size() - kFrameHeaderSize));
      }
    }
    datagram.shrink_to_fit();
    auto opened = session.server->OpenDatagram(datagram);
    if (!opened.ok()) continue;
    FUZZ_CHECK(!came && std::ranges::equal(*opened, plain));
    came = true;
  }
  FUZZ_CHECK(session.server->OpenDatagram(good).ok() != came);
}

}  // namespace
}  // namespace socksify

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* octets, size_t count) {
  using namespace socksify;
  if (getenv("KRB5_KTNAME") == nullptr) return 0;
  Dealer dealer(octets, count);
  switch (dealer.Octet() % 4) {
    case 0:
      TryAcceptor(dealer);
      break;
    case 1:
      TryChangedFrame(dealer);
      break;
    case 2:
      TryDatagrams(dealer);
      break;
    default:
      TryAnyFrame(dealer);
  }
  return 0;
}
