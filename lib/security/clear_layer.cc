#include "lib/security/clear_layer.h"

#include <utility>

#include "lib/wire/userpass.h"

namespace socksify {
namespace {

class UserpassInitiator final : public ClearLayer {
 public:
  UserpassInitiator(std::string user, Secret password)
      : credentials_{std::move(user), std::move(password)} {}

  Result<bool> Negotiate(ByteView input, size_t* consumed, Bytes* output) override {
    *consumed = 0;
    if (!sent_) {
      sent_ = true;
      if (Status status = AppendUserpassRequest(*output, credentials_); !status.ok()) return status;
    }
    auto reply = ParseUserpassReply(input);
    if (!reply.ok()) return reply.status();
    wanted_ = reply->missing;
    if (!reply->complete()) return false;
    *consumed = reply->size;
    if (reply->message.status != kUserpassSuccess) {
      return {Errc::kAuthentication,
              "the server refused user '" + credentials_.user + "': check user and password"};
    }
    return true;
  }

  size_t WantedOctets() const override { return wanted_; }

  SecuritySummary Summary() const override {
    return {.mechanism = "RFC 1929", .client_principal = credentials_.user, .server_principal = {}};
  }

 private:
  const UserpassRequest credentials_;
  size_t wanted_ = 2;
  bool sent_ = false;
};

class UserpassAcceptor final : public ClearLayer {
 public:
  explicit UserpassAcceptor(const UserDatabase& users) : users_(users) {}

  Result<bool> Negotiate(ByteView input, size_t* consumed, Bytes* output) override {
    *consumed = 0;
    auto request = ParseUserpassRequest(input);
    if (!request.ok()) return request.status();
    wanted_ = request->missing;
    if (!request->complete()) return false;
    *consumed = request->size;
    user_ = request->message.user;
    if (!users_.VerifyPassword(user_, request->message.password.octets())) {
      AppendUserpassReply(*output, {.status = 0x01});
      return {Errc::kAuthentication, "user '" + user_ + "' is unknown or the password is wrong"};
    }
    AppendUserpassReply(*output, {.status = kUserpassSuccess});
    return true;
  }

  size_t WantedOctets() const override { return wanted_; }

  SecuritySummary Summary() const override {
    return {.mechanism = "RFC 1929", .client_principal = user_, .server_principal = {}};
  }

 private:
  const UserDatabase& users_;
  std::string user_;
  size_t wanted_ = 2;
};

}  // namespace

Status ClearLayer::SealDatagram(ByteView plain, Bytes* datagram) {
  if (plain.size() > kMaxUdpPayload) return DatagramTooLarge(plain.size());
  Append(*datagram, plain);
  return {};
}

std::unique_ptr<SecurityLayer> NewClearLayer() { return std::make_unique<ClearLayer>(); }

std::unique_ptr<SecurityLayer> NewUserpassInitiator(std::string user, Secret password) {
  return std::make_unique<UserpassInitiator>(std::move(user), std::move(password));
}

std::unique_ptr<SecurityLayer> NewUserpassAcceptor(const UserDatabase& users) {
  return std::make_unique<UserpassAcceptor>(users);
}

}  // namespace socksify
