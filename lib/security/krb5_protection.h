// Per-message protection without the library, by a Krb5Session. Private to lib/security.
#ifndef LIB_SECURITY_KRB5_PROTECTION_H_
#define LIB_SECURITY_KRB5_PROTECTION_H_

#include <atomic>
#include <memory>
#include <mutex>

#include "lib/security/krb5_session.h"
#include "lib/security/message_protection.h"

namespace socksify {

class Krb5Protection final : public MessageProtection, public ApartSealer {
 public:
  Krb5Protection(std::unique_ptr<Krb5Session> session, ProtectionLevel level, size_t max_token);

  Status Seal(ByteView plain, Bytes* frame) override;
  ApartSealer* apart() override { return this; }
  uint64_t TakePlaces(size_t frames) override { return session_->TakeNumbers(frames); }
  Status SealApart(uint64_t place, size_t lane, ByteView plain, Bytes* frame) override;
  void ForgetLanes() override { session_->ForgetLanes(); }
  Result<ByteSpan> Open(ByteSpan frame) override;
  void Expect(ByteSpan frame, ByteSpan next) override;
  Status SealDatagram(ByteView plain, Bytes* datagram) override;
  Result<ByteSpan> OpenDatagram(ByteSpan datagram) override;

  Result<Bytes> Export() override;
  ExportForm export_form() const override { return ExportForm::kKrb5Session; }

 private:
  bool confidential() const { return level_ != ProtectionLevel::kIntegrity; }
  template <typename MakeToken>
  Status SealFrame(ByteView plain, Bytes* frame, MakeToken make_token);
  Result<ByteSpan> OpenToken(Krb5Session::Order order, ByteSpan token);

  Status error();             // what has ended the session
  Status Fail(Status error);  // it ends, unless it has; returns what has ended it

  const std::unique_ptr<Krb5Session> session_;
  std::atomic<bool> failed_{false};
  std::mutex error_mutex_;
  Status error_;  // guarded by error_mutex_; !ok() once failed_
};

}  // namespace socksify

#endif  // LIB_SECURITY_KRB5_PROTECTION_H_
