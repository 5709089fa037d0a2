// The client's side of the SSL method.
#include <algorithm>
#include <utility>

#include "lib/security/chap_layer.h"
#include "lib/security/clear_layer.h"
#include "lib/security/library_gate.h"
#include "lib/security/ssl_negotiation.h"
#include "lib/security/ssl_tickets.h"

namespace socksify {
namespace {

class SslInitiator final : public SslNegotiation {
 public:
  explicit SslInitiator(SslInitiatorOptions options) : options_(std::move(options)) {}

  Status Prepare() override {
    const LibraryGate gate;
    if (credential_ != nullptr) return {};
    auto credential = LoadSslInitiatorCredential(options_);
    if (!credential.ok()) return credential.status();
    credential_ = std::move(*credential);
    return {};
  }

 protected:
  Result<std::unique_ptr<SslSession>> NewSession() override {
    if (Status status = Prepare(); !status.ok()) return status;
    const std::string& name = options_.tls_name.empty() ? options_.server_host : options_.tls_name;
    server_id_ = options_.server_host + '\0' + name + '\0' + credential_->id;
    return SslSession::Client(credential_, name, FindTicket(server_id_));
  }

  Status HandshakeDone(Bytes* reply) override {
    summary_.server_principal = session().peer_subject();
    if (!options_.subauth.empty()) offered_.options.push_back(SslOption::kSubauthentication);
    if (options_.udp_naked) offered_.options.push_back(SslOption::kUdpNaked);
    AppendSslOptions(*reply, offered_);
    return {};
  }

  Result<bool> TakePlaintext(Bytes* reply) override {
    if (stage_ == Stage::kOptions) {
      auto taken = TakeOptions(reply);
      if (!taken.ok() || *taken || stage_ == Stage::kOptions) return taken;
    }
    if (stage_ == Stage::kChoice) {
      if (Status status = TakeChoice(); !status.ok()) return status;
      if (stage_ == Stage::kChoice) return false;
    }
    return TakeSubauthentication(reply);
  }

 private:
  enum class Stage : uint8_t { kOptions, kChoice, kMethod };

  // The server's part of what was offered; true when that is all.
  Result<bool> TakeOptions(Bytes* reply) {
    auto answer = ParseSslOptions(inbox());
    if (!answer.ok()) return answer.status();
    if (!answer->complete()) return false;
    DropInbox(answer->size);
    const SslOptions& chosen = answer->message;
    for (SslOption option : chosen.options) {
      if (!offered_.Has(option) || std::ranges::count(chosen.options, option) != 1) {
        return RefuseOrderly(
            {Errc::kPolicy, "the server's options are not a part of those offered"});
      }
    }
    // Sent before the reply to the options, by every server that gives any.
    KeepTicket(server_id_, session().TakeTicket());
    Agree(chosen);
    if (!chosen.Has(SslOption::kSubauthentication)) return true;
    AppendGreeting(*reply, {options_.subauth});
    stage_ = Stage::kChoice;
    return false;
  }

  Status TakeChoice() {
    auto choice = ParseChoice(inbox());
    if (!choice.ok()) return RefuseOrderly(choice.status());
    if (!choice->complete()) return {};
    DropInbox(choice->size);
    const Method method = choice->message.method;
    if (method == Method::kNoAcceptable) {
      return RefuseOrderly(
          {Errc::kAuthentication, "the server accepts none of the offered subauthentications"});
    }
    if (std::ranges::count(options_.subauth, method) == 0) {
      return RefuseOrderly({Errc::kPolicy, "the server chose a subauthentication not offered"});
    }
    summary_.details.emplace_back("subauthentication", MethodName(method));
    switch (method) {
      case Method::kUserpass:
        Subauthenticate(NewUserpassInitiator(options_.user, options_.password));
        break;
      case Method::kChap:
        Subauthenticate(NewChapInitiator(options_.user, options_.password, /*mutual=*/true));
        break;
      default:
        Subauthenticate(NewClearLayer());
    }
    stage_ = Stage::kMethod;
    return {};
  }

  const SslInitiatorOptions options_;
  std::shared_ptr<const SslCredential> credential_;
  std::string server_id_;  // whose tickets are good for this connection
  SslOptions offered_;
  Stage stage_ = Stage::kOptions;
};

}  // namespace

std::unique_ptr<SecurityLayer> NewSslInitiator(SslInitiatorOptions options) {
  return std::make_unique<SslInitiator>(std::move(options));
}

}  // namespace socksify
