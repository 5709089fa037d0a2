// What the two roles of the GSS-API method share: cutting the sub-negotiation into messages, sticky
// failure, and the established half. Private to security/gss_*.
#ifndef LIB_SECURITY_GSS_BASE_H_
#define LIB_SECURITY_GSS_BASE_H_

#include <memory>
#include <optional>
#include <string>

#include "lib/security/gss_protection.h"
#include "lib/security/security_layer.h"

namespace socksify {

class GssLayer : public SecurityLayer {
 public:
  Result<bool> Negotiate(ByteView input, size_t* consumed, Bytes* output) final;
  size_t WantedOctets() const final { return wanted_; }
  SecuritySummary Summary() const final { return summary_; }

  bool framed() const final { return true; }
  size_t MaxPlaintext() const final { return protection_->MaxPlaintext(); }
  size_t MinFrameSize() const final { return protection_->MinFrameSize(); }
  size_t FrameOverhead() const final { return protection_->FrameOverhead(); }
  Status Seal(ByteView plain, Bytes* frame) final;
  ApartSealer* apart() final { return protection_->apart(); }
  Result<size_t> FrameSize(ByteView head) const final;
  Result<ByteSpan> Open(ByteSpan frame) final;
  void Expect(ByteSpan frame, ByteSpan next) final;
  bool relays_datagrams() const final { return true; }
  size_t MaxDatagram() const final { return protection_->MaxDatagram(); }
  Status SealDatagram(ByteView plain, Bytes* datagram) final;
  Result<ByteSpan> OpenDatagram(ByteSpan datagram) final;
  bool ordered() const final { return protection_->ordered(); }
  Result<Bytes> Export() final;

 protected:
  // The role speaks first, if it does. Octets for the peer are appended to `output`.
  virtual Status Begin(Bytes* output) = 0;
  // One message of the sub-negotiation (mtyp 1 or 2) has come.
  virtual Status HandleMessage(MessageType type, ByteView token, Bytes* output) = 0;

  // The negotiation has failed for a reason other than the peer's own abort: the last chance to
  // tell it so.
  virtual void AppendAbort(Bytes* /*output*/) {}

  // A message of the sub-negotiation, RFC 1961 sections 3.4 and 4.3. kUnsupported above 65535
  // octets.
  static Status AppendMessage(Bytes* output, MessageType type, ByteView token);

  // The context is complete and the level agreed: from now on octets are sealed. Takes the context.
  // `next`: the number of the peer's next token. Where it is given, the messages are made and
  // opened without the library if we can.
  Status Establish(GssContext context, ProtectionLevel level, size_t max_token,
                   std::optional<uint64_t> next);
  void Establish(std::unique_ptr<MessageProtection> protection);
  bool established() const { return protection_ != nullptr; }

  SecuritySummary summary_;

 private:
  Status Fail(Status error);
  Status FailAloud(Status error, Bytes* output);  // and tells the peer

  std::unique_ptr<MessageProtection> protection_;
  Status error_;
  size_t wanted_ = 2;  // VER and MTYP: an abort has no more
  bool begun_ = false;
};

// As ImportSecurityLayer(), of what GssLayer::Export() has given.
Result<std::unique_ptr<SecurityLayer>> ImportGssLayer(ByteView state);

}  // namespace socksify

#endif  // LIB_SECURITY_GSS_BASE_H_
