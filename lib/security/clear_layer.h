// The methods without per-message protection: no authentication (RFC 1928 method 00) and
// username/password (RFC 1929, method 02). After the sub-negotiation octets go as they are.
#ifndef LIB_SECURITY_CLEAR_LAYER_H_
#define LIB_SECURITY_CLEAR_LAYER_H_

#include <memory>
#include <string>

#include "lib/base/secret.h"
#include "lib/security/security_layer.h"
#include "lib/security/users.h"
#include "lib/wire/datagram.h"

namespace socksify {

// What every layer without frames has in common, and the whole of method 00.
class ClearLayer : public SecurityLayer {
 public:
  Result<bool> Negotiate(ByteView, size_t* consumed, Bytes*) override {
    *consumed = 0;
    return true;
  }
  size_t WantedOctets() const override { return 0; }
  SecuritySummary Summary() const override { return {}; }

  bool framed() const final { return false; }
  size_t MaxPlaintext() const final { return kMaxChunk; }
  size_t MinFrameSize() const final { return 1; }
  Status Seal(ByteView plain, Bytes* frame) final {
    Append(*frame, plain);
    return {};
  }
  Result<size_t> FrameSize(ByteView head) const final { return head.size(); }
  Result<ByteSpan> Open(ByteSpan frame) final { return frame; }

  bool relays_datagrams() const final { return true; }
  size_t MaxDatagram() const final { return kMaxUdpPayload; }
  Status SealDatagram(ByteView plain, Bytes* datagram) final;
  Result<ByteSpan> OpenDatagram(ByteSpan datagram) final { return datagram; }

 private:
  static constexpr size_t kMaxChunk = 65536;
};

std::unique_ptr<SecurityLayer> NewClearLayer();  // method 00, both roles

std::unique_ptr<SecurityLayer> NewUserpassInitiator(std::string user, Secret password);

// `users` must outlive the layer.
std::unique_ptr<SecurityLayer> NewUserpassAcceptor(const UserDatabase& users);

}  // namespace socksify

#endif  // LIB_SECURITY_CLEAR_LAYER_H_
