#include "lib/security/chap_layer.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include <algorithm>
#include <utility>

#include "lib/security/clear_layer.h"
#include "lib/security/library_gate.h"
#include "lib/wire/chap.h"

namespace socksify {
namespace {

using Attribute = ChapAttribute;

constexpr size_t kChallengeSize = 128;
constexpr size_t kDigestSize = 16;
constexpr int kMostMessages = 16;  // of one peer, which may challenge as often as it likes

Result<Bytes> NewChallenge() {
  Bytes challenge(kChallengeSize);
  if (gnutls_rnd(GNUTLS_RND_NONCE, challenge.data(), challenge.size()) < 0) {
    return {Errc::kUnsupported, "there are no random octets for a challenge"};
  }
  return challenge;
}

// The draft's algorithm 85: the password is the key, the challenge the data.
Result<Bytes> Digest(const Secret& password, ByteView challenge) {
  Bytes digest(kDigestSize);
  const int error =
      gnutls_hmac_fast(GNUTLS_MAC_MD5, password.octets().data(), password.octets().size(),
                       challenge.data(), challenge.size(), digest.data());
  if (error < 0) {
    return {Errc::kUnsupported, std::string("no HMAC-MD5: ") + gnutls_strerror(error)};
  }
  return digest;
}

bool SameDigest(ByteView a, ByteView b) {
  return a.size() == b.size() && gnutls_memcmp(a.data(), b.data(), a.size()) == 0;
}

Bytes Octets(std::string_view text) { return {text.begin(), text.end()}; }

// Cuts the peer's octets into messages.
class ChapLayer : public ClearLayer {
 public:
  Result<bool> Negotiate(ByteView input, size_t* consumed, Bytes* output) final {
    const LibraryGate gate;
    *consumed = 0;
    if (!error_.ok()) return error_;
    if (!begun_) {
      begun_ = true;
      if (Status status = Begin(output); !status.ok()) return error_ = status;
    }
    while (!done_) {
      auto message = ParseChapMessage(input.subspan(*consumed));
      if (!message.ok()) return error_ = message.status();
      wanted_ = message->missing;
      if (!message->complete()) return false;
      *consumed += message->size;
      Status status = ++messages_ <= kMostMessages ? Handle(message->message, output)
                                                   : Status(Errc::kMalformed, "CHAP has no end");
      if (!status.ok()) return error_ = status;
    }
    return true;
  }
  size_t WantedOctets() const final { return wanted_; }
  SecuritySummary Summary() const final {
    return {.mechanism = "CHAP (HMAC-MD5)",
            .client_principal = user_,
            .server_principal = {},
            .details = {{"mutual", mutual_ ? "yes" : "no"}}};
  }

 protected:
  virtual Status Begin(Bytes*) { return {}; }
  virtual Status Handle(const ChapMessage& message, Bytes* output) = 0;

  std::string user_;
  bool mutual_ = false;  // the server has proved that it knows the password
  bool done_ = false;

 private:
  Status error_;
  size_t wanted_ = 2;
  int messages_ = 0;
  bool begun_ = false;
};

class ChapInitiator final : public ChapLayer {
 public:
  ChapInitiator(std::string user, Secret password, bool mutual)
      : password_(std::move(password)), wants_mutual_(mutual) {
    user_ = std::move(user);
  }

 protected:
  Status Begin(Bytes* output) override {
    if (user_.empty() || password_.empty()) {
      return {Errc::kConfig, "the user name or the password is empty"};
    }
    // The draft has the name in the second message; some servers want it in the first.
    return AppendChapMessage(*output, {{{Attribute::kAlgorithms, {kChapHmacMd5}},
                                        {Attribute::kUserIdentity, Octets(user_)}}});
  }

  Status Handle(const ChapMessage& message, Bytes* output) override {
    if (const Bytes* status = message.Find(Attribute::kStatus)) {
      return Finish(message, *status, output);
    }
    if (const Bytes* algorithm = message.Find(Attribute::kAlgorithms)) {
      if (*algorithm != Bytes{kChapHmacMd5}) {
        return {Errc::kPolicy, "the server chose a CHAP algorithm that was not offered"};
      }
      agreed_ = true;
    }
    const Bytes* challenge = message.Find(Attribute::kChallenge);
    if (challenge == nullptr) return {};
    if (!agreed_) return {Errc::kMalformed, "the server's challenge comes before its algorithm"};
    return Respond(*challenge, output);
  }

 private:
  Status Respond(const Bytes& challenge, Bytes* output) {
    // Our own, given back, would have us answer for the server.
    if (!own_challenge_.empty() && challenge == own_challenge_) {
      return {Errc::kAuthentication, "the server gives our own challenge back"};
    }
    auto response = Digest(password_, challenge);
    if (!response.ok()) return response.status();
    ChapMessage message = {
        {{Attribute::kUserIdentity, Octets(user_)}, {Attribute::kResponse, std::move(*response)}}};
    if (wants_mutual_) {
      auto own = NewChallenge();
      if (!own.ok()) return own.status();
      own_challenge_ = *own;
      message.assertions.emplace_back(Attribute::kChallenge, std::move(*own));
    }
    responded_ = true;
    return AppendChapMessage(*output, message);
  }

  Status Finish(const ChapMessage& message, const Bytes& status, Bytes* output) {
    if (status != Bytes{kChapSuccess}) {
      return {Errc::kAuthentication,
              "the server refused user '" + user_ + "' in CHAP: check user and password"};
    }
    if (!responded_) return {Errc::kMalformed, "the server's CHAP ends before its challenge"};
    done_ = true;
    const Bytes* response = message.Find(Attribute::kResponse);
    if (own_challenge_.empty() || response == nullptr) return {};
    auto expected = Digest(password_, own_challenge_);
    if (!expected.ok()) return expected.status();
    mutual_ = SameDigest(*response, *expected);
    const uint8_t verdict = mutual_ ? kChapSuccess : kChapFailure;
    Status sent = AppendChapMessage(*output, {{{Attribute::kStatus, {verdict}}}});
    if (mutual_ || !sent.ok()) return sent;
    return {Errc::kAuthentication, "the server does not know the password of '" + user_ + "'"};
  }

  const Secret password_;
  const bool wants_mutual_;
  bool agreed_ = false;
  bool responded_ = false;
  Bytes own_challenge_;
};

class ChapAcceptor final : public ChapLayer {
 public:
  explicit ChapAcceptor(const UserDatabase& users) : users_(users) {}

 protected:
  Status Handle(const ChapMessage& message, Bytes* output) override {
    if (const Bytes* name = message.Find(Attribute::kUserIdentity)) user_ = AsText(*name);
    if (const Bytes* status = message.Find(Attribute::kStatus)) return FinishMutual(*status);
    const Bytes* algorithms = message.Find(Attribute::kAlgorithms);
    if (algorithms != nullptr && challenge_.empty()) {
      if (std::ranges::count(*algorithms, kChapHmacMd5) == 0) {
        return Refuse({Errc::kPolicy, "the client's CHAP has no HMAC-MD5"}, output);
      }
      auto challenge = NewChallenge();
      if (!challenge.ok()) return challenge.status();
      challenge_ = std::move(*challenge);
      return AppendChapMessage(*output, {{{Attribute::kAlgorithms, {kChapHmacMd5}},
                                          {Attribute::kChallenge, challenge_}}});
    }
    if (const Bytes* response = message.Find(Attribute::kResponse)) {
      return Judge(*response, message.Find(Attribute::kChallenge), output);
    }
    return {};
  }

 private:
  Status Judge(const Bytes& response, const Bytes* challenge, Bytes* output) {
    if (challenge_.empty() || accepted_) {
      return Refuse({Errc::kMalformed, "a CHAP response without a challenge"}, output);
    }
    const Secret* password = users_.ClearPassword(user_);
    // The name of an unknown user costs the same as a wrong password.
    auto expected = Digest(password == nullptr ? Secret("nobody") : *password, challenge_);
    if (!expected.ok()) return expected.status();
    if (!SameDigest(response, *expected) || password == nullptr) {
      return Refuse({Errc::kAuthentication,
                     "user '" + user_ + "' is unknown, has no clear password, or it is wrong"},
                    output);
    }
    accepted_ = true;
    ChapMessage verdict = {{{Attribute::kStatus, {kChapSuccess}}}};
    // Ours, given back, would prove nothing.
    const bool answers = challenge != nullptr && *challenge != challenge_;
    if (answers) {
      auto own = Digest(*password, *challenge);
      if (!own.ok()) return own.status();
      verdict.assertions.emplace_back(Attribute::kResponse, std::move(*own));
    }
    done_ = !answers;  // the client has the last word then
    return AppendChapMessage(*output, verdict);
  }

  Status FinishMutual(const Bytes& status) {
    if (!accepted_) return {Errc::kMalformed, "the client ends CHAP before its response"};
    if (status != Bytes{kChapSuccess}) {
      return {Errc::kAuthentication, "the client refused this server in CHAP"};
    }
    mutual_ = done_ = true;
    return {};
  }

  static Status Refuse(Status why, Bytes* output) {
    (void)AppendChapMessage(*output, {{{Attribute::kStatus, {kChapFailure}}}});
    return why;
  }

  const UserDatabase& users_;
  Bytes challenge_;  // the one that is to be answered
  bool accepted_ = false;
};

}  // namespace

std::unique_ptr<SecurityLayer> NewChapInitiator(std::string user, Secret password, bool mutual) {
  return std::make_unique<ChapInitiator>(std::move(user), std::move(password), mutual);
}

std::unique_ptr<SecurityLayer> NewChapAcceptor(const UserDatabase& users) {
  return std::make_unique<ChapAcceptor>(users);
}

}  // namespace socksify
