// The exported form:
//
//   +---------+-------+-----------+--------------+---------------------+
//   | enctype | flags | send next | receive next |         key         |
//   +---------+-------+-----------+--------------+---------------------+
//   |    1    |   1   |     8     |      8       | as the enctype says |
//   +---------+-------+-----------+--------------+---------------------+
#include "lib/security/krb5_session.h"

#include <utility>

namespace socksify {
namespace {

// flags
constexpr uint8_t kInitiator = 0x01, kAcceptorSubkey = 0x02, kOrdered = 0x04;
constexpr size_t kHeadSize = 18;

void AppendU64(Bytes& to, uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) to.push_back(static_cast<uint8_t>(value >> shift));
}

uint64_t TakeU64(Cursor& in) {
  uint64_t value = 0;
  for (int i = 0; i < 4; i++) value = value << 16 | in.U16();
  return value;
}

const char* WhyNot(ReceiveWindow::Place place) {
  switch (place) {
    case ReceiveWindow::Place::kAhead:
      return "a token is missing before this one";
    case ReceiveWindow::Place::kBehind:
      return "a token out of sequence";
    case ReceiveWindow::Place::kDuplicate:
      return "a duplicate token";
    default:
      return "a token too old to be checked for being a duplicate";
  }
}

}  // namespace

Status Krb5Session::Seal(bool confidential, ByteView plain, Bytes* out) {
  std::lock_guard lock(send_mutex_);
  Status status = sealer_.Seal(context_, confidential, send_next_, plain, out);
  if (status.ok()) send_next_++;
  return status;
}

uint64_t Krb5Session::TakeNumbers(size_t tokens) {
  while (lanes_.size() < tokens) lanes_.push_back(std::make_unique<TokenSealer>(context_));
  std::lock_guard lock(send_mutex_);
  return std::exchange(send_next_, send_next_ + tokens);
}

Status Krb5Session::SealApart(uint64_t number, size_t lane, bool confidential, ByteView plain,
                              Bytes* out) {
  return lanes_[lane]->Seal(context_, confidential, number, plain, out);
}

Result<TokenOpener::Opened> Krb5Session::Open(Order order, ByteSpan token) {
  using Place = ReceiveWindow::Place;
  std::lock_guard lock(receive_mutex_);
  auto opened = OpenOrRecall(token);
  if (!opened.ok()) return opened;
  const Place place = window_.Find(opened->number);
  const bool loose = place == Place::kAhead || place == Place::kBehind;
  if (place != Place::kNext && !(loose && order == Order::kLoose)) {
    return {Errc::kIntegrity,
            std::string("a message of the peer fails its check: ") + WhyNot(place)};
  }
  window_.Take(opened->number);
  return opened;
}

void Krb5Session::Expect(ByteSpan token, ByteSpan next) {
  std::lock_guard lock(receive_mutex_);
  if (!recalled_.empty()) return;
  if (other_ == nullptr) other_ = std::make_unique<TokenOpener>(context_);
  auto opened = TokenOpener::OpenTwo(context_, opener_, token, *other_, next);
  if (!opened) return;
  recalled_.push_back({next, std::move(opened->second)});
  recalled_.push_back({token, std::move(opened->first)});
}

// What has been opened ahead is no token any more: anything else in between is an error.
Result<TokenOpener::Opened> Krb5Session::OpenOrRecall(ByteSpan token) {
  if (recalled_.empty()) return opener_.Open(context_, token);
  Recalled recalled = std::move(recalled_.back());
  recalled_.pop_back();
  if (recalled.token.data() == token.data() && recalled.token.size() == token.size()) {
    return std::move(recalled.opened);
  }
  recalled_.clear();
  return {Errc::kIntegrity, "a message was opened out of turn"};
}

Bytes Krb5Session::Export() {
  std::scoped_lock lock(send_mutex_, receive_mutex_);
  Bytes state;
  state.reserve(kHeadSize + context_.key.octets().size());  // no copy is left behind by growing
  state.push_back(static_cast<uint8_t>(context_.enctype->number));
  state.push_back(static_cast<uint8_t>((context_.initiator ? kInitiator : 0) |
                                       (context_.acceptor_subkey ? kAcceptorSubkey : 0) |
                                       (context_.ordered ? kOrdered : 0)));
  AppendU64(state, send_next_);
  AppendU64(state, window_.next());
  Append(state, context_.key.octets());
  return state;
}

std::unique_ptr<Krb5Session> Krb5Session::Import(ByteView state) {
  Cursor in(state);
  const Krb5Enctype* enctype = FindKrb5Enctype(in.U8());
  const uint8_t flags = in.U8();
  const uint64_t send_next = TakeU64(in), receive_next = TakeU64(in);
  if (enctype == nullptr || (flags & ~(kInitiator | kAcceptorSubkey | kOrdered)) != 0 || !in.ok() ||
      in.remaining() != enctype->key_size) {
    return nullptr;
  }
  return std::make_unique<Krb5Session>(
      Krb5Context{enctype, Secret(AsText(in.Take(in.remaining()))), (flags & kInitiator) != 0,
                  (flags & kAcceptorSubkey) != 0, (flags & kOrdered) != 0},
      send_next, receive_next);
}

}  // namespace socksify
