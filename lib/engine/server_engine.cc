#include "lib/engine/server_engine.h"

#include <algorithm>
#include <utility>

#include "lib/security/chap_layer.h"
#include "lib/security/clear_layer.h"
#include "lib/security/gss_layer.h"
#include "lib/security/ssl_layer.h"
#include "lib/wire/frame.h"

namespace socksify {
namespace {

// What a client may send ahead of the reply that it should wait for: some frames, in what its
// server happened to read at once. More than that is no pipelining any more.
constexpr size_t kMaxAhead = 4 * kMaxFrameSize;

std::unique_ptr<SecurityLayer> NewAcceptor(Method method, const ServerPolicy& policy) {
  switch (method) {
    case Method::kNone:
      return NewClearLayer();
    case Method::kGssapi:
      return NewGssAcceptor({.credential = policy.gss_credential,
                             .levels = policy.levels,
                             .nec = policy.gss_nec,
                             .fast_path = policy.gss_fast_path});
    case Method::kUserpass:
      return NewUserpassAcceptor(policy.users);
    case Method::kChap:
      return NewChapAcceptor(policy.users);
    case Method::kSsl:
      return NewSslAcceptor({.credential = policy.ssl_credential,
                             .subauth = policy.subauth,
                             .users = &policy.users,
                             .udp_naked = policy.udp_naked});
    default:
      return nullptr;
  }
}

// The number under which the client offers a method of the policy: ssl has two.
Method OfferedAs(const Greeting& greeting, Method method) {
  for (Method offered : greeting.methods) {
    const bool ssl = offered == Method::kSslIana && method == Method::kSsl;
    if (offered == method || ssl) return offered;
  }
  return Method::kNoAcceptable;
}

class Engine final : public ServerEngine {
 public:
  Engine(const ServerPolicy& policy, LayerFactory new_layer)
      : policy_(policy), new_layer_(new_layer) {}

  State state() const override {
    switch (stage_) {
      case Stage::kAnswerDue:
        return State::kRequest;
      case Stage::kListening:
        return State::kListening;
      case Stage::kAssociated:
        return State::kAssociated;
      case Stage::kRelaying:
        return State::kRelaying;
      case Stage::kFailed:
        return State::kFailed;
      default:
        return State::kNegotiating;
    }
  }
  const Status& error() const override { return error_; }

  void Feed(ByteView octets) override {
    if (stage_ == Stage::kFailed) return;
    if (stage_ == Stage::kRelaying && !layer_->framed()) {
      Append(plaintext_, octets);
      return;
    }
    Append(input_, octets);
    Advance();
    CheckEnd();
  }

  // Before the relaying everything is kept as it came, and taken from there.
  ByteView unread() const override { return stage_ == Stage::kRelaying ? input_ : ByteView(); }

  void FeedInPlace(ByteSpan octets, Pieces* plaintext) override {
    if (stage_ != Stage::kRelaying) return Feed(octets);
    Status error;
    const size_t taken = OpenFrames(*layer_, octets, plaintext, &error);
    KeepUnread(error.ok() ? octets.subspan(taken) : ByteSpan(), &input_);
    if (!error.ok()) return Fail(std::move(error));
    CheckEnd();
  }

  void FeedEof() override {
    if (stage_ == Stage::kFailed) return;
    at_end_ = true;
    CheckEnd();
  }

  void Close() override {
    if (stage_ != Stage::kRelaying && stage_ != Stage::kAssociated) return;
    if (Status status = layer_->Close(&output_); !status.ok()) Fail(std::move(status));
  }
  bool peer_closed() const override { return layer_ != nullptr && layer_->peer_closed(); }

  Bytes& output() override { return output_; }
  Bytes& plaintext() override { return plaintext_; }
  const Request& request() const override { return request_; }

  void Answer(Reply reply, const Address& bound) override {
    if (stage_ != Stage::kAnswerDue && stage_ != Stage::kListening) return;
    if (!SendReply(reply, bound)) return;
    if (reply != Reply::kSucceeded) {
      (void)layer_->Close(&output_);
      return Fail({ReplyErrc(reply), ReplyText(reply)});
    }
    if (request_.command == Command::kUdpAssociate) {
      stage_ = Stage::kAssociated;
      head_ = {};
    } else if (request_.command == Command::kBind && stage_ == Stage::kAnswerDue) {
      stage_ = Stage::kListening;
    } else {
      stage_ = Stage::kRelaying;
      plaintext_ = std::exchange(head_, {});
    }
    Advance();  // what the client has sent ahead
    CheckEnd();
  }

  SecurityLayer& layer() override { return *layer_; }

  Status SendPlaintext(ByteView octets) override { return Seal(octets, &output_); }

  size_t FrameShare(size_t octets) const override { return socksify::FrameShare(*layer_, octets); }
  Status Seal(ByteView octets, Bytes* frames) override {
    if (stage_ == Stage::kFailed) return error_;
    if (stage_ != Stage::kRelaying) return {Errc::kUnsupported, "nothing is relayed yet"};
    Status status = SealFrames(*layer_, octets, frames);
    if (!status.ok()) Fail(status);
    return status;
  }

  Method method() const override { return method_; }
  SecuritySummary summary() const override {
    return layer_ ? layer_->Summary() : SecuritySummary();
  }

 private:
  enum class Stage : uint8_t {
    kGreeting,
    kNegotiation,
    kRequestDue,
    kAnswerDue,
    kListening,
    kAssociated,
    kRelaying,
    kFailed
  };

  ByteSpan Unread() { return ByteSpan(input_).subspan(taken_); }

  // Takes messages off the input for as long as there are whole ones.
  void Advance() {
    while (Step()) {
    }
    if (stage_ == Stage::kFailed || taken_ == input_.size()) {
      input_ = {};  // an idle session keeps no buffer
    } else {
      input_.erase(input_.begin(), input_.begin() + static_cast<ptrdiff_t>(taken_));
    }
    taken_ = 0;
    const bool answer_due = stage_ == Stage::kAnswerDue || stage_ == Stage::kListening;
    const size_t kept = input_.size() + (answer_due ? head_.size() : 0);
    if (kept > (answer_due ? kMaxAhead : kMaxFrameSize))
      Fail({Errc::kMalformed, "the client sends more than it may by now"});
  }

  // One message; false when there is no whole one or none is due.
  bool Step() {
    switch (stage_) {
      case Stage::kGreeting:
        return TakeGreeting();
      case Stage::kNegotiation:
        return Negotiate();
      case Stage::kRequestDue:
        return TakeOctets(&head_) && TakeRequest();
      case Stage::kListening:
        return TakeOctets(&head_);
      case Stage::kAssociated:
        return DropOctets();
      case Stage::kRelaying:
        return TakeOctets(&plaintext_);
      case Stage::kAnswerDue:
      case Stage::kFailed:
        break;
    }
    return false;
  }

  // RFC 1928 section 3.
  bool TakeGreeting() {
    auto greeting = ParseGreeting(Unread());
    if (!greeting.ok()) return Failed(greeting.status());
    if (!greeting->complete()) return false;
    taken_ += greeting->size;
    for (Method method : policy_.methods) {
      method_ = OfferedAs(greeting->message, method);
      if (method_ == Method::kNoAcceptable) continue;
      layer_ = new_layer_(method, policy_);
      if (layer_ != nullptr) break;
      method_ = Method::kNoAcceptable;
    }
    AppendChoice(output_, {method_});
    if (layer_ == nullptr) return Failed({Errc::kPolicy, "the client offers no accepted method"});
    stage_ = Stage::kNegotiation;
    return true;
  }

  bool Negotiate() {
    size_t consumed = 0;
    auto done = layer_->Negotiate(Unread(), &consumed, &output_);
    Wipe(Unread().first(consumed));  // a password, maybe
    taken_ += consumed;
    if (!done.ok()) return Failed(done.status());
    if (!*done) return consumed != 0;
    stage_ = Stage::kRequestDue;
    head_ = layer_->TakeEarlyPlaintext();
    return head_.empty() || TakeRequest();
  }

  // RFC 1928 section 4. Octets behind the request are the application's, sent ahead.
  bool TakeRequest() {
    auto request = ParseRequest(head_);
    if (!request.ok()) {
      const bool address_type = request.status().code() == Errc::kReplyAddressUnsupported;
      return Refused(address_type ? Reply::kAddressTypeNotSupported : Reply::kGeneralFailure,
                     request.status());
    }
    if (!request->complete()) return true;
    request_ = std::move(request->message);
    head_.erase(head_.begin(), head_.begin() + static_cast<ptrdiff_t>(request->size));
    if (!Serves(request_.command)) {
      const Reply reply = Reply::kCommandNotSupported;
      return Refused(reply, {ReplyErrc(reply), ReplyText(reply)});
    }
    stage_ = Stage::kAnswerDue;
    return false;
  }

  bool Serves(Command command) const {
    if (command == Command::kUdpAssociate) return layer_->relays_datagrams();
    return (command == Command::kConnect || command == Command::kBind) && layer_->ordered();
  }

  // Nothing is due on the connection of an association; what is not the client's own ends it.
  bool DropOctets() {
    Bytes dropped;
    return TakeOctets(&dropped);
  }

  // The application's octets, out of one frame (RFC 1961 section 5) or as they are. An empty token
  // is legal and means nothing.
  bool TakeOctets(Bytes* to) {
    auto size = OpenFrame(*layer_, Unread(), to);
    if (!size.ok()) return Failed(size.status());
    taken_ += *size;
    return *size != 0;
  }

  bool SendReply(Reply reply, const Address& bound) {
    Bytes message;
    if (Status status = AppendReply(message, {reply, bound}); !status.ok()) return Failed(status);
    return SendSealed(message);
  }

  bool SendSealed(ByteView octets) {
    Status status = SealFrames(*layer_, octets, &output_);
    return status.ok() || Failed(std::move(status));
  }

  // The client sends no more. What it has sent ahead of the reply is looked at after the reply.
  void CheckEnd() {
    if (!at_end_ && !peer_closed()) return;
    if (stage_ == Stage::kFailed || stage_ == Stage::kAnswerDue) return;
    if (stage_ == Stage::kListening) {
      Fail({Errc::kTruncated, "the client closed before a peer had connected"});
    } else if (stage_ != Stage::kRelaying && stage_ != Stage::kAssociated) {
      Fail({Errc::kTruncated, "the client closed in the middle of the negotiation"});
    } else if (Status status = socksify::CheckEnd(*layer_, input_); !status.ok()) {
      Fail(std::move(status));
    }
  }

  bool Refused(Reply reply, Status why) {
    if (!SendReply(reply, {})) return false;
    (void)layer_->Close(&output_);
    return Failed(std::move(why));
  }

  bool Failed(Status why) {
    Fail(std::move(why));
    return false;
  }

  void Fail(Status why) {
    error_ = std::move(why);
    stage_ = Stage::kFailed;
    head_ = {};
  }

  const ServerPolicy& policy_;
  const LayerFactory new_layer_;
  Stage stage_ = Stage::kGreeting;
  bool at_end_ = false;
  Method method_ = Method::kNoAcceptable;
  std::unique_ptr<SecurityLayer> layer_;
  Request request_;
  Status error_;
  Bytes input_;  // from the client; the first taken_ octets are done with
  size_t taken_ = 0;
  Bytes head_;  // plaintext up to the request's end, then what came ahead of the reply
  Bytes output_;
  Bytes plaintext_;
};

}  // namespace

std::unique_ptr<ServerEngine> ServerEngine::New(const ServerPolicy& policy) {
  return New(policy, NewAcceptor);
}

std::unique_ptr<ServerEngine> ServerEngine::New(const ServerPolicy& policy,
                                                LayerFactory new_layer) {
  return std::make_unique<Engine>(policy, new_layer);
}

}  // namespace socksify
