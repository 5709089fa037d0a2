#include "lib/engine/client_engine.h"

#include <algorithm>
#include <utility>

#include "lib/security/chap_layer.h"
#include "lib/security/clear_layer.h"
#include "lib/security/gss_layer.h"
#include "lib/security/ssl_layer.h"

namespace socksify {
namespace {

GssInitiatorOptions GssOptions(const Config& config, const ServerEndpoint& server, bool ordered) {
  GssInitiatorOptions options;
  options.ordered = ordered;
  options.server_host = server.host;
  options.services = config.gss_services;
  options.level = static_cast<ProtectionLevel>(config.protection);
  options.nec = config.gss_nec;
  options.fast_path = config.gss_fast_path;
  switch (config.gss_delegate) {
    case Delegation::kPolicy:
      options.delegate = GssInitiatorOptions::Delegate::kPolicy;
      break;
    case Delegation::kAlways:
      options.delegate = GssInitiatorOptions::Delegate::kAlways;
      break;
    case Delegation::kNever:
      options.delegate = GssInitiatorOptions::Delegate::kNever;
      break;
  }
  return options;
}

SslInitiatorOptions SslOptionsOf(const Config& config, const ServerEndpoint& server) {
  return {.server_host = server.host,
          .tls_ca = config.tls_ca,
          .tls_cert = config.tls_cert,
          .tls_key = config.tls_key,
          .tls_name = config.tls_name,
          .tls_priority = config.tls_priority,
          .subauth = config.subauth,
          .user = config.user,
          .password = config.password,
          .udp_naked = config.ssl_udp_naked};
}

// The numbers on the wire of a configured method.
std::vector<Method> NumbersOf(Method method, SslMethod ssl) {
  if (method != Method::kSsl) return {method};
  switch (ssl) {
    case SslMethod::k86:
      return {Method::kSsl};
    case SslMethod::k06:
      return {Method::kSslIana};
    case SslMethod::kBoth:
      break;
  }
  return {Method::kSsl, Method::kSslIana};
}

class ClientEngineImpl final : public ClientEngine {
 public:
  ClientEngineImpl(const Config& config, const ServerEndpoint& server,
                   std::optional<Request> request)
      : config_(config), server_(server), request_(std::move(request)) {}

  Status Prepare() override {
    Status last(Errc::kConfig, "no method is listed; see --methods");
    for (Method configured : config_.methods) {
      if (configured == Method::kSsl && associates() && !config_.ssl_udp_naked) {
        last = {Errc::kPolicy,
                "ssl cannot protect UDP, which would go in clear; see --ssl-udp-naked"};
        continue;
      }
      for (Method method : NumbersOf(configured, config_.ssl_method)) {
        auto layer = MakeLayer(method);
        Status status = layer.ok() ? (*layer)->Prepare() : layer.status();
        if (status.ok()) {
          offers_.push_back({method, std::move(*layer)});
        } else {
          last = std::move(status);  // what cannot be done is not offered
        }
      }
    }
    if (offers_.empty()) return Fail(std::move(last));
    Greeting greeting;
    for (const Offer& offer : offers_) greeting.methods.push_back(offer.method);
    AppendGreeting(output_, greeting);
    stage_ = Stage::kChoice;
    return {};
  }

  State state() const override {
    if (!error_.ok()) return State::kFailed;
    return stage_ == Stage::kEstablished ? State::kEstablished : State::kNegotiating;
  }
  const Status& error() const override { return error_; }

  ByteView output() const override { return ByteView(output_).subspan(sent_); }
  void ConsumeOutput(size_t count) override {
    sent_ += std::min(count, output_.size() - sent_);
    if (sent_ == output_.size()) {
      output_.clear();
      sent_ = 0;
    }
  }

  size_t WantedOctets() const override { return state() == State::kNegotiating ? wanted_ : 0; }

  void Feed(ByteView octets) override {
    if (state() != State::kNegotiating) return;
    Append(input_, octets);
    Advance(/*at_end=*/false);
  }

  void FeedEof() override {
    if (state() != State::kNegotiating) return;
    if (stage_ == Stage::kReply) Advance(/*at_end=*/true);
    if (state() != State::kNegotiating) return;
    (void)Fail({Errc::kServerClosed, "the server closed the connection during the negotiation"});
  }

  Method method() const override { return method_; }
  SecuritySummary summary() const override { return layer_ ? layer_->Summary() : summary_; }
  bool listening() const override { return listening_ && state() == State::kNegotiating; }
  const Address& bound() const override { return bound_; }
  const Address& peer() const override { return peer_; }
  Bytes TakeEarlyData() override { return std::exchange(early_data_, {}); }
  std::unique_ptr<SecurityLayer> TakeLayer() override {
    summary_ = layer_->Summary();
    return std::move(layer_);
  }

 private:
  enum class Stage { kStart, kChoice, kSubnegotiation, kReply, kEstablished };

  struct Offer {
    Method method;
    std::unique_ptr<SecurityLayer> layer;
  };

  bool associates() const { return request_ && request_->command == Command::kUdpAssociate; }

  Result<std::unique_ptr<SecurityLayer>> MakeLayer(Method method) const {
    switch (method) {
      case Method::kNone:
        return NewClearLayer();
      case Method::kGssapi:
        return NewGssInitiator(GssOptions(config_, server_, /*ordered=*/!associates()));
      case Method::kUserpass:
      case Method::kChap:
        if (Status status = CheckPassword(method); !status.ok()) return status;
        if (method == Method::kChap) {
          // The server's proof would not protect what follows in clear.
          return NewChapInitiator(config_.user, config_.password, /*mutual=*/false);
        }
        return NewUserpassInitiator(config_.user, config_.password);
      case Method::kSsl:
      case Method::kSslIana:
        for (Method inner : config_.subauth) {
          if (inner == Method::kNone) continue;
          if (Status status = CheckPassword(inner); !status.ok()) return status;
        }
        return NewSslInitiator(SslOptionsOf(config_, server_));
      default:
        return {Errc::kConfig,
                std::string("method ") + MethodName(method) + " is not part of this version"};
    }
  }

  Status CheckPassword(Method method) const {
    if (!config_.user.empty() && !config_.password.empty()) return {};
    return {Errc::kConfig, std::string(MethodName(method)) + " needs --user and --password-file"};
  }

  // Goes on as far as the input allows.
  void Advance(bool at_end) {
    bool more = true;
    while (more && state() == State::kNegotiating) {
      switch (stage_) {
        case Stage::kChoice:
          more = TakeChoice();
          break;
        case Stage::kSubnegotiation:
          more = Subnegotiate();
          break;
        case Stage::kReply:
          more = layer_->framed() ? OpenReplyFrame() : MoveReply();
          // The end that the layer has been told of is as good as the connection's.
          if (TakeReplies((at_end && !more) || layer_->peer_closed())) {
            more = false;
          } else if (layer_->peer_closed()) {
            more = Refuse({Errc::kServerClosed, "the server closed the session before its reply"});
          }
          break;
        default:
          more = false;
      }
    }
  }

  bool TakeChoice() {
    auto choice = ParseChoice(input_);
    if (!choice.ok()) return Refuse(choice.status());
    wanted_ = choice->missing;
    if (!choice->complete()) return false;
    DropInput(choice->size);
    method_ = choice->message.method;
    if (method_ == Method::kNoAcceptable) {
      return Refuse({Errc::kAuthentication,
                     "the server accepts none of the offered methods (" + OfferedMethods() + ")"});
    }
    for (Offer& offer : offers_) {
      if (offer.method == method_) layer_ = std::move(offer.layer);
    }
    offers_.clear();
    if (!layer_) return Refuse({Errc::kPolicy, "the server chose a method that was not offered"});
    stage_ = Stage::kSubnegotiation;
    return true;
  }

  bool Subnegotiate() {
    size_t consumed = 0;
    auto established = layer_->Negotiate(input_, &consumed, &output_);
    DropInput(consumed);
    if (!established.ok()) return Refuse(established.status());
    wanted_ = layer_->WantedOctets();
    if (!*established) return false;
    reply_ = layer_->TakeEarlyPlaintext();
    if (!request_) {
      stage_ = Stage::kEstablished;
      return true;
    }
    if (associates() && !layer_->relays_datagrams()) {
      return Refuse({Errc::kUnsupported, "the server does not relay UDP in clear beside ssl"});
    }
    Bytes request;
    if (Status status = AppendRequest(request, *request_); !status.ok()) return Refuse(status);
    // The whole request alone in one frame: Dante rejects a split one.
    if (Status status = layer_->Seal(request, &output_); !status.ok()) return Refuse(status);
    stage_ = Stage::kReply;
    wanted_ = layer_->framed() ? kFrameHeaderSize : 2;
    return true;
  }

  // Moves the plaintext of one frame, if one is complete, to reply_.
  bool OpenReplyFrame() {
    if (!input_.empty() && AbortCame()) {
      return Refuse({Errc::kAuthentication, "the server aborted before its reply"});
    }
    auto size = layer_->FrameSize(input_);
    if (!size.ok()) return Refuse(size.status());
    if (*size == 0 || input_.size() < *size) {
      wanted_ = (*size == 0 ? kFrameHeaderSize : *size) - input_.size();
      // An abort has two octets: never wait for more before they have been looked at.
      if (input_.size() < 2) wanted_ = 2 - input_.size();
      return false;
    }
    auto plain = layer_->Open(ByteSpan(input_).first(*size));
    if (!plain.ok()) return Refuse(plain.status());
    Append(reply_, *plain);
    DropInput(*size);
    return true;
  }

  bool AbortCame() const {
    return method_ == Method::kGssapi && input_.size() >= 2 && input_[0] == kFrameVersion &&
           input_[1] == static_cast<uint8_t>(MessageType::kAbort);
  }

  bool MoveReply() {
    const bool moved = !input_.empty();
    Append(reply_, input_);
    DropInput(input_.size());
    return moved;
  }

  // True when what is due is complete, or wrong.
  bool TakeReplies(bool at_end) {
    while (state() == State::kNegotiating) {
      if (!TakeReply(at_end)) return false;
    }
    return true;
  }

  // False when there is no whole one.
  bool TakeReply(bool at_end) {
    auto reply = ParseReply(reply_, at_end);
    if (!reply.ok()) {
      (void)Refuse(reply.status());
      return true;
    }
    if (!reply->complete()) {
      if (!layer_->framed()) wanted_ = reply->missing;
      return false;
    }
    const Reply answer = reply->message.reply;
    if (answer != Reply::kSucceeded) {
      const bool unsupported =
          answer == Reply::kCommandNotSupported && request_->command != Command::kConnect;
      (void)Refuse({unsupported ? Errc::kUnsupported : ReplyErrc(answer),
                    std::string("the server answered: ") + ReplyText(answer)});
      return true;
    }
    (listening_ ? peer_ : bound_) = std::move(reply->message.bound);
    reply_.erase(reply_.begin(), reply_.begin() + static_cast<ptrdiff_t>(reply->size));
    if (request_->command == Command::kBind && !std::exchange(listening_, true)) return true;
    early_data_ = std::exchange(reply_, {});
    stage_ = Stage::kEstablished;
    return true;
  }

  std::string OfferedMethods() const {
    std::string names;
    for (const Offer& offer : offers_)
      names += (names.empty() ? "" : ", ") + std::string(MethodName(offer.method));
    return names;
  }

  void DropInput(size_t count) {
    input_.erase(input_.begin(), input_.begin() + static_cast<ptrdiff_t>(count));
  }

  Status Fail(Status error) {
    error_ = std::move(error);
    return error_;
  }
  bool Refuse(Status error) {
    (void)Fail(std::move(error));
    return false;
  }

  const Config& config_;
  const ServerEndpoint server_;
  const std::optional<Request> request_;
  Stage stage_ = Stage::kStart;
  Status error_;
  std::vector<Offer> offers_;
  Method method_ = Method::kNoAcceptable;
  std::unique_ptr<SecurityLayer> layer_;
  SecuritySummary summary_;
  Bytes input_;
  Bytes output_;
  size_t sent_ = 0;
  size_t wanted_ = 2;
  Bytes reply_;  // plaintext of the reply, and what follows it
  bool listening_ = false;
  Address bound_, peer_;
  Bytes early_data_;
};

}  // namespace

std::unique_ptr<ClientEngine> ClientEngine::New(const Config& config, const ServerEndpoint& server,
                                                std::optional<Request> request) {
  return std::make_unique<ClientEngineImpl>(config, server, std::move(request));
}

}  // namespace socksify
