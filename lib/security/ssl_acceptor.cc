// The server's side of the SSL method.
#include <algorithm>
#include <utility>

#include "lib/security/chap_layer.h"
#include "lib/security/clear_layer.h"
#include "lib/security/ssl_negotiation.h"

namespace socksify {
namespace {

class SslAcceptor final : public SslNegotiation {
 public:
  explicit SslAcceptor(SslAcceptorOptions options) : options_(std::move(options)) {}

 protected:
  Result<std::unique_ptr<SslSession>> NewSession() override {
    if (options_.credential == nullptr) {
      return {Errc::kConfig, "ssl needs a certificate of the server"};
    }
    return SslSession::Server(options_.credential->get());
  }

  Status HandshakeDone(Bytes*) override {
    summary_.client_principal = session().peer_subject();
    return {};  // the client speaks first
  }

  Result<bool> TakePlaintext(Bytes* reply) override {
    if (stage_ == Stage::kOptions) {
      auto taken = TakeOptions(reply);
      if (!taken.ok() || *taken || stage_ == Stage::kOptions) return taken;
    }
    if (stage_ == Stage::kOffer) {
      if (Status status = TakeOffer(reply); !status.ok()) return status;
      if (stage_ == Stage::kOffer) return false;
    }
    return TakeSubauthentication(reply);
  }

 private:
  enum class Stage : uint8_t { kOptions, kOffer, kMethod };

  // Answers those of the client's options that are known and wanted, in its order; true when that
  // is all.
  Result<bool> TakeOptions(Bytes* reply) {
    auto offer = ParseSslOptions(inbox());
    if (!offer.ok()) return offer.status();
    if (!offer->complete()) return false;
    DropInbox(offer->size);
    SslOptions chosen;
    for (SslOption option : offer->message.options) {
      const bool wanted = (option == SslOption::kSubauthentication && !options_.subauth.empty()) ||
                          (option == SslOption::kUdpNaked && options_.udp_naked);
      if (wanted && !chosen.Has(option)) chosen.options.push_back(option);
    }
    const bool required =
        !options_.subauth.empty() && std::ranges::count(options_.subauth, Method::kNone) == 0;
    const bool asked = chosen.Has(SslOption::kSubauthentication);
    if (required && !asked) {
      return Refuse(GNUTLS_A_ACCESS_DENIED,
                    {Errc::kPolicy, "the client does not offer the required subauthentication"});
    }
    AppendSslOptions(*reply, chosen);
    Agree(chosen);
    stage_ = Stage::kOffer;
    return !asked;
  }

  Status TakeOffer(Bytes* reply) {
    auto offer = ParseGreeting(inbox());
    if (!offer.ok()) return RefuseOrderly(offer.status());
    if (!offer->complete()) return {};
    DropInbox(offer->size);
    for (Method method : options_.subauth) {
      if (std::ranges::count(offer->message.methods, method) == 0) continue;
      AppendChoice(*reply, {method});
      summary_.details.emplace_back("subauthentication", MethodName(method));
      Subauthenticate(NewMethod(method));
      stage_ = Stage::kMethod;
      return {};
    }
    AppendChoice(*reply, {Method::kNoAcceptable});
    return RefuseOrderly({Errc::kPolicy, "the client offers no accepted subauthentication"});
  }

  std::unique_ptr<SecurityLayer> NewMethod(Method method) const {
    if (method == Method::kUserpass) return NewUserpassAcceptor(*options_.users);
    if (method == Method::kChap) return NewChapAcceptor(*options_.users);
    return NewClearLayer();
  }

  const SslAcceptorOptions options_;
  Stage stage_ = Stage::kOptions;
};

}  // namespace

std::unique_ptr<SecurityLayer> NewSslAcceptor(SslAcceptorOptions options) {
  return std::make_unique<SslAcceptor>(std::move(options));
}

}  // namespace socksify
