// The records of a session that began in another process: what may come on an established session
// and nothing else.
#include <algorithm>
#include <utility>

#include "lib/security/ssl_traffic.h"

namespace socksify {
namespace {

constexpr uint8_t kCloseNotify = 0;
constexpr uint8_t kUserCanceled = 90;
constexpr uint8_t kNewSessionTicket = 4;
constexpr uint8_t kKeyUpdate = 24;
constexpr size_t kMessageHeaderSize = 4;  // of a handshake message: type and length
// RFC 8446 section 5.5 has AES-GCM keys end after 2^24.5 records.
constexpr uint64_t kMostRecords = uint64_t{1} << 24;
// A stream of updates would keep us computing keys for nothing.
constexpr int kMostIdleUpdates = 64;

class SslTraffic final : public SslRecords {
 public:
  explicit SslTraffic(TrafficSuite suite, size_t max_plaintext)
      : suite_(suite), max_plaintext_(max_plaintext) {}

  Status Start(TrafficState state) {
    if (Status status = read_.Set(suite_, std::move(state.read)); !status.ok()) return status;
    return write_.Set(suite_, std::move(state.write));
  }

  Status Seal(ByteView plain, Bytes* out) override {
    if (suite_.tls13 && (update_due_ || write_.keys().sequence >= kMostRecords)) {
      if (Status status = UpdateKeys(out); !status.ok()) return status;
    }
    while (!plain.empty()) {
      const size_t count = std::min(plain.size(), max_plaintext_);
      Status status = write_.SealRecord(kRecordApplicationData, plain.first(count), out);
      if (!status.ok()) return status;
      plain = plain.subspan(count);
    }
    return {};
  }

  Result<ByteSpan> Open(ByteSpan record) override {
    uint8_t type = 0;
    auto plain = read_.OpenRecord(record, &type);
    if (!plain.ok()) return plain;
    Status status;
    switch (type) {
      case kRecordApplicationData:
        if (!message_.empty()) return {Errc::kMalformed, "data inside a message of the handshake"};
        if (!plain->empty()) idle_updates_ = 0;
        return plain;
      case kRecordAlert:
        status = TakeAlert(*plain);
        break;
      case kRecordHandshake:
        status = suite_.tls13
                     ? TakeHandshake(*plain)
                     : Status(Errc::kPolicy, "the peer wants to renegotiate, which is not done");
        break;
      default:
        status = {Errc::kMalformed,
                  "a record of an unexpected type (" + std::to_string(type) + ")"};
    }
    if (!status.ok()) return status;
    return ByteSpan();
  }

  Status CloseNotify(Bytes* out) override {
    constexpr uint8_t kWarning = 1;
    return write_.SealRecord(kRecordAlert, Bytes{kWarning, kCloseNotify}, out);
  }
  bool peer_closed() const override { return peer_closed_; }
  size_t max_plaintext() const override { return max_plaintext_; }
  size_t overhead() const override {
    return kRecordHeaderSize + write_.explicit_nonce() + write_.tag_size() + (suite_.tls13 ? 1 : 0);
  }

  Status Export(Bytes* state, Bytes* out) override {
    if (!message_.empty()) return {Errc::kUnsupported, "a message of the handshake is not whole"};
    if (update_due_) {
      if (Status status = UpdateKeys(out); !status.ok()) return status;
    }
    AppendTrafficState({suite_, read_.keys(), write_.keys(), max_plaintext_}, state);
    return {};
  }

 private:
  Status TakeAlert(ByteView alert) {
    if (alert.size() != 2) return {Errc::kMalformed, "an alert of the wrong size"};
    if (alert[1] == kCloseNotify) {
      peer_closed_ = true;
      return {};
    }
    // RFC 8446 section 6: the level is ignored but for this one. TLS 1.2 has other warnings.
    const bool warning = alert[0] == 1 && (alert[1] == kUserCanceled || !suite_.tls13);
    if (warning && ++idle_updates_ <= kMostIdleUpdates) return {};
    const char* name = gnutls_alert_get_name(static_cast<gnutls_alert_description_t>(alert[1]));
    return {Errc::kIntegrity,
            std::string("the peer ended the TLS session: ") + (name == nullptr ? "unknown" : name)};
  }

  // RFC 8446 section 4.6: messages may be cut over records.
  Status TakeHandshake(ByteView octets) {
    if (octets.empty()) return {Errc::kMalformed, "an empty record of the handshake"};
    Append(message_, octets);
    while (message_.size() >= kMessageHeaderSize) {
      const size_t size =
          kMessageHeaderSize + (size_t{message_[1]} << 16 | size_t{message_[2]} << 8 | message_[3]);
      if (size > 2 * kMaxRecordPlaintext) return {Errc::kMalformed, "too long a message"};
      if (message_.size() < size) return {};
      Status status;
      if (message_[0] == kKeyUpdate) {
        status = TakeKeyUpdate(ByteView(message_).subspan(kMessageHeaderSize));
      } else if (message_[0] != kNewSessionTicket) {
        status = {Errc::kPolicy, "a message of the handshake that is not expected"};
      }
      if (!status.ok()) return status;
      message_.erase(message_.begin(), message_.begin() + static_cast<ptrdiff_t>(size));
    }
    return {};
  }

  Status TakeKeyUpdate(ByteView rest) {
    // The keys change behind it, so nothing else is in its record.
    if (rest.size() != 1 || rest[0] > 1) return {Errc::kMalformed, "a wrong update of keys"};
    if (++idle_updates_ > kMostIdleUpdates) return {Errc::kPolicy, "too many updates of keys"};
    if (rest[0] == 1) update_due_ = true;
    return read_.Update();
  }

  // Tells the peer, which is not asked for the same.
  Status UpdateKeys(Bytes* out) {
    update_due_ = false;
    Status status = write_.SealRecord(kRecordHandshake, Bytes{kKeyUpdate, 0, 0, 1, 0}, out);
    return status.ok() ? write_.Update() : status;
  }

  const TrafficSuite suite_;
  const size_t max_plaintext_;
  TrafficCipher read_, write_;
  Bytes message_;  // the beginning of one
  int idle_updates_ = 0;
  bool update_due_ = false;
  bool peer_closed_ = false;
};

}  // namespace

Result<std::unique_ptr<SslRecords>> NewSslTraffic(TrafficState state) {
  auto records = std::make_unique<SslTraffic>(state.suite, state.max_plaintext);
  if (Status status = records->Start(std::move(state)); !status.ok()) return status;
  return std::unique_ptr<SslRecords>(std::move(records));
}

}  // namespace socksify
