// What every layer of the SSL method shares: the frame
//
//   +-----+-------+-----+-----------------+
//   | VER | STATE | LEN |      DATA       |
//   +-----+-------+-----+-----------------+
//   |  1  |   1   |  2  | 0 to 65535 octets
//   +-----+-------+-----+-----------------+
//
// whose DATA, over all frames, is one stream of TLS records; and the established half. Private to
// security/ssl_*.
#ifndef LIB_SECURITY_SSL_BASE_H_
#define LIB_SECURITY_SSL_BASE_H_

#include <atomic>
#include <memory>
#include <mutex>

#include "lib/security/security_layer.h"
#include "lib/security/ssl_records.h"
#include "lib/wire/datagram.h"
#include "lib/wire/frame.h"

namespace socksify {

// Appends `records` in as many frames as they need; none for nothing.
void AppendFrames(SslState state, ByteView records, Bytes* output);

// Cuts the peer's stream, which comes in DATA of any size, into whole records.
class RecordSplitter {
 public:
  // Calls take(record, kept) for each record that `data` completes, until one fails. `kept`: an
  // earlier DATA began it, so it lies in this object and not in `data`.
  template <typename Take>
  Status Feed(ByteSpan data, Take take) {
    while (!data.empty()) {
      const bool kept = !begun_.empty();
      if (kept) {
        data = data.subspan(Complete(data));
        auto size = RecordSize(begun_);
        if (!size.ok()) return size.status();
        if (*size == 0 || begun_.size() < *size) continue;
        Bytes record = std::move(begun_);
        begun_ = {};
        if (Status status = take(ByteSpan(record), kept); !status.ok()) return status;
        continue;
      }
      auto size = RecordSize(data);
      if (!size.ok()) return size.status();
      if (*size == 0 || data.size() < *size) {
        begun_.assign(data.begin(), data.end());
        return {};
      }
      if (Status status = take(data.first(*size), kept); !status.ok()) return status;
      data = data.subspan(*size);
    }
    return {};
  }

  ByteView begun() const { return begun_; }

 private:
  // Moves octets from `data` to the record that has begun, up to its header's or its own end.
  size_t Complete(ByteView data);

  Bytes begun_;
};

class SslLayer : public SecurityLayer {
 public:
  SecuritySummary Summary() const final { return summary_; }
  bool framed() const final { return true; }
  size_t MaxPlaintext() const final { return max_plaintext_; }
  // A frame of one octet may complete a record.
  size_t MinFrameSize() const final { return kFrameHeaderSize + 1; }
  bool frames_are_messages() const final { return false; }
  Status Seal(ByteView plain, Bytes* frame) final;
  Result<size_t> FrameSize(ByteView head) const final;
  Result<ByteSpan> Open(ByteSpan frame) final;
  bool closes() const final { return true; }
  bool peer_closed() const final { return peer_closed_; }
  Status Close(Bytes* frames) final;
  bool relays_datagrams() const final { return udp_naked_; }
  size_t MaxDatagram() const final { return udp_naked_ ? kMaxUdpPayload : 0; }
  Status SealDatagram(ByteView plain, Bytes* datagram) final;
  Result<ByteSpan> OpenDatagram(ByteSpan datagram) final;
  Result<Bytes> Export() final;

 protected:
  // From now on octets are sealed by `records`.
  void Establish(std::unique_ptr<SslRecords> records);
  bool established() const { return records_ != nullptr; }
  void AgreeUdpNaked() { udp_naked_ = true; }  // before it is established
  // Goes on, after Establish(), where the layer in another process was.
  Status Resume(bool closed, bool peer_closed, ByteView due, ByteView begun);

  SecuritySummary summary_;
  RecordSplitter splitter_;

 private:
  Result<ByteSpan> OpenData(ByteSpan data);

  std::mutex mutex_;                     // Seal and Open come from two threads
  std::unique_ptr<SslRecords> records_;  // null until established
  Status error_;
  Bytes due_;     // records that go before the next ones sent
  Bytes joined_;  // plaintext of a frame that completed a record
  size_t max_plaintext_ = 0;
  bool closed_ = false;
  bool udp_naked_ = false;
  std::atomic<bool> peer_closed_{false};
};

// As ImportSecurityLayer(), of what SslLayer::Export() has given.
Result<std::unique_ptr<SecurityLayer>> ImportSslLayer(ByteView state);

}  // namespace socksify

#endif  // LIB_SECURITY_SSL_BASE_H_
