// A session of the SSL method on its way from one process to another:
//
//   +---------+-------+------+-----+------+-----+-------------------------------------+
//   | version | flags | LEN  | due | LEN  |begun| suite and keys of both directions   |
//   +---------+-------+------+-----+------+-----+-------------------------------------+
//   |    2    |   1   |  2   |     |  2   |     |  see AppendTrafficState             |
//   +---------+-------+------+-----+------+-----+-------------------------------------+
//
// due: records that go before everything else; begun: the beginning of one that is coming in.
#include <algorithm>
#include <utility>

#include "lib/security/library_gate.h"
#include "lib/security/ssl_base.h"
#include "lib/security/ssl_session.h"
#include "lib/security/ssl_traffic.h"

namespace socksify {
namespace {

constexpr uint8_t kVersion = 2;  // 1 is a session of the GSS-API method
constexpr uint8_t kClosed = 1, kPeerClosed = 2, kUdpNaked = 4;
constexpr uint8_t kFlags = kClosed | kPeerClosed | kUdpNaked;
constexpr int kMostUpdates = 1 << 16;  // of the keys of one session, to be tried

bool SameOctets(const Secret& a, ByteView b) { return std::ranges::equal(a.octets(), b); }

class ImportedSslLayer final : public SslLayer {
 public:
  Status Start(ByteView state) {
    Cursor in(state);
    Status bad(Errc::kMalformed, "this is no session that was handed over");
    const uint8_t version = in.U8(), flags = in.U8();
    const ByteView due = in.Take(in.U16()), begun = in.Take(in.U16());
    if (!in.ok() || version != kVersion || (flags & ~kFlags) != 0) return bad;
    auto traffic = ReadTrafficState(&in);
    if (!traffic.ok()) return traffic.status();
    if (in.remaining() != 0) return bad;
    auto records = NewSslTraffic(std::move(*traffic));
    if (!records.ok()) return records.status();
    if ((flags & kUdpNaked) != 0) AgreeUdpNaked();
    Establish(std::move(*records));
    return Resume((flags & kClosed) != 0, (flags & kPeerClosed) != 0, due, begun);
  }

  Result<bool> Negotiate(ByteView, size_t* consumed, Bytes*) override {
    *consumed = 0;
    return true;
  }
  size_t WantedOctets() const override { return 0; }
};

}  // namespace

// TLS 1.3 tells the first secret alone, and the keys now: between them are as many updates as there
// have been.
Status SslSession::ExportKeys(const TrafficSuite& suite, bool read, TrafficKeys* keys) const {
  gnutls_datum_t iv = {}, key = {};
  unsigned char sequence[8];
  const int error =
      gnutls_record_get_state(session_.get(), read ? 1 : 0, nullptr, &iv, &key, sequence);
  if (error < 0) return GnutlsError(Errc::kUnsupported, "cannot hand the session over", error);
  if (suite.tls13) {
    *keys = KeysOfSecret(suite, read == server_ ? client_secret_ : server_secret_);
    for (int i = 0; i < kMostUpdates && !SameOctets(keys->key, {key.data, key.size}); i++) {
      *keys = KeysOfSecret(suite, NextSecret(suite, keys->secret));
    }
    if (!SameOctets(keys->key, {key.data, key.size}) || !SameOctets(keys->iv, {iv.data, iv.size})) {
      return {Errc::kUnsupported, "cannot hand the session over: its keys have no known secret"};
    }
  } else {
    keys->key = Secret(AsText({key.data, key.size}));
    keys->iv = Secret(AsText({iv.data, iv.size}));
  }
  keys->sequence = 0;
  for (unsigned char octet : sequence) keys->sequence = keys->sequence << 8 | octet;
  return {};
}

Status SslSession::Export(Bytes* state, Bytes* out) {
  TrafficState traffic;
  traffic.suite = {gnutls_protocol_get_version(session_.get()) == GNUTLS_TLS1_3,
                   gnutls_cipher_get(session_.get()),
                   static_cast<gnutls_mac_algorithm_t>(gnutls_prf_hash_get(session_.get()))};
  if (!traffic.suite.known()) {
    return {Errc::kUnsupported, "a session with this cipher cannot be handed over"};
  }
  traffic.max_plaintext = max_plaintext();
  if (update_due_) {  // the peer waits for it
    const Directed directed(&sink_, &due_);
    if (int error = gnutls_session_key_update(session_.get(), 0); error < 0) {
      return GnutlsError(Errc::kUnsupported, "cannot hand the session over", error);
    }
    update_due_ = false;
  }
  for (bool read : {true, false}) {
    Status status = ExportKeys(traffic.suite, read, read ? &traffic.read : &traffic.write);
    if (!status.ok()) return status;
  }
  AppendTrafficState(traffic, state);
  Append(*out, std::exchange(due_, {}));
  return {};
}

Result<Bytes> SslLayer::Export() {
  const LibraryGate gate;
  std::lock_guard lock(mutex_);
  if (!error_.ok()) return error_;
  if (records_ == nullptr) {
    return {Errc::kUnsupported, "a session is handed over once it is established"};
  }
  Bytes traffic;
  traffic.reserve(1024);  // no copy is left behind by growing
  if (Status status = records_->Export(&traffic, &due_); !status.ok()) return status;
  const ByteView begun = splitter_.begun();
  Bytes state;
  state.reserve(6 + due_.size() + begun.size() + traffic.size());
  state.push_back(kVersion);
  state.push_back(static_cast<uint8_t>((closed_ ? kClosed : 0) | (peer_closed_ ? kPeerClosed : 0) |
                                       (udp_naked_ ? kUdpNaked : 0)));
  for (ByteView part : {ByteView(due_), begun}) {
    AppendU16(state, static_cast<uint16_t>(part.size()));
    Append(state, part);
  }
  Append(state, traffic);
  Wipe(traffic);
  error_ = {Errc::kUnsupported, "the session has been handed over to another process"};
  return state;
}

// What had begun in the other process: octets of it may be anything.
Status SslLayer::Resume(bool closed, bool peer_closed, ByteView due, ByteView begun) {
  closed_ = closed;
  peer_closed_ = peer_closed;
  due_.assign(due.begin(), due.end());
  Bytes data(begun.begin(), begun.end());
  return splitter_.Feed(data, [](ByteSpan, bool) -> Status {
    return {Errc::kMalformed, "this is no session that was handed over"};
  });
}

Result<std::unique_ptr<SecurityLayer>> ImportSslLayer(ByteView state) {
  const LibraryGate gate;
  auto layer = std::make_unique<ImportedSslLayer>();
  if (Status status = layer->Start(state); !status.ok()) return status;
  return std::unique_ptr<SecurityLayer>(std::move(layer));
}

}  // namespace socksify
