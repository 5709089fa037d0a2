#include "shim/receiver.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "lib/base/log.h"
#include "lib/wire/frame.h"
#include "shim/real_calls.h"
#include "shim/signals.h"
#include "shim/user_memory.h"

namespace socksify {
namespace {

// What a layer whose frames are no messages may have held back of earlier ones, and give with the
// next: a TLS record (RFC 5246 section 6.2.3: up to 2^14 + 2048 octets behind 5).
constexpr size_t kMaxHeld = 5 + (1 << 14) + 2048;

// A frame whose beginning has been taken out, and as much again to look at.
constexpr size_t kCapacity = 2 * kMaxFrameSize + kMaxHeld;

constexpr int kCloseMilliseconds = 10'000;  // for another thread to come out, if it lives

// Copies `octets` into the vectors behind the first `offset` octets they hold. False with errno
// when a page on the way cannot be written.
bool Scatter(const iovec* vectors, size_t count, size_t offset, ByteView octets) {
  constexpr size_t kLooked = 4096;  // a vector's ends have been looked at before
  for (size_t i = 0; i < count && !octets.empty(); ++i) {
    if (offset >= vectors[i].iov_len) {
      offset -= vectors[i].iov_len;
      continue;
    }
    size_t part = std::min(octets.size(), vectors[i].iov_len - offset);
    uint8_t* const to = static_cast<uint8_t*>(vectors[i].iov_base) + offset;
    if (vectors[i].iov_len > kLooked && !IsAllWritable(to, part)) return errno = EFAULT, false;
    memcpy(to, octets.data(), part);
    octets = octets.subspan(part);
    offset = 0;
  }
  return true;
}

// Has the peer ended its direction, or the connection?
bool HasEnded(int fd) {
  pollfd wait = {fd, POLLRDHUP, 0};
  return real::poll(&wait, 1, 0) > 0;
}

}  // namespace

bool Receiver::Allocate() {
  if (!buffer_) buffer_.reset(new (std::nothrow) uint8_t[kCapacity]);
  return buffer_ != nullptr;
}

void Receiver::Start(SecurityLayer* layer, ByteView early, size_t unread, int fd) {
  layer_ = layer;
  if (!early.empty() && !Allocate()) {
    pending_errno_ = ENOMEM;
    failed_ = true;
  } else if (!early.empty()) {
    memcpy(buffer_.get(), early.data(), early.size());
    plain_end_ = early.size();
  }
  base_ = plain_end_;
  pos_ = end_ = base_ + unread;
  Settle(fd, Loaded::kFrame);
}

void Receiver::Reset(int fd) {
  MutexLock lock(mutex_);
  if (fd >= 0) SetKernelLowWater(fd, static_cast<size_t>(wanted_.load()));
  Clear();
}

void Receiver::HandOver(int fd, SessionState* state) {
  TakeOutSpent(fd);
  SetKernelLowWater(fd, 1);
  state->receiving_ended = shut_down_;
  if (buffer_) {
    state->plaintext.assign(buffer_.get() + plain_begin_, buffer_.get() + plain_end_);
    state->received.assign(buffer_.get() + pos_, buffer_.get() + base_);
  }
  Clear();
}

void Receiver::Clear() {
  if (buffer_) Wipe({buffer_.get(), plain_end_});
  buffer_.reset();
  layer_ = nullptr;
  plain_begin_ = plain_end_ = base_ = pos_ = end_ = last_frame_ = 0;
  low_water_ = 1;
  wanted_ = 1;
  peek_offset_ = -1;
  full_ = false;
  counted_ = kNotCounted;
  shut_down_ = false;
  lost_ = false;
  let_go_ = false;
  pending_errno_ = 0;
  failed_ = false;
}

ssize_t Receiver::Take(int fd, const iovec* vectors, size_t count, size_t offset, int flags) {
  const SignalsBlocked signals;  // a handler may use the connection too
  MutexLock lock(mutex_);
  if (layer_ == nullptr) return errno = ENOTCONN, -1;  // dissolved by another thread
  const size_t wanted = TotalSize(vectors, count) - offset;
  if ((flags & MSG_PEEK) != 0 && wanted != 0) return Peek(fd, vectors, count, wanted, flags);
  size_t taken = 0;
  Loaded last = Loaded::kFrame;
  while (taken < wanted || (wanted == 0 && plain() == 0)) {
    if (plain() == 0) {
      last = LoadFrame(fd);
      if (last != Loaded::kFrame) break;
      continue;  // the frame may have been empty
    }
    const size_t part = std::min(wanted - taken, plain());
    if ((flags & MSG_TRUNC) == 0 &&
        !Scatter(vectors, count, offset + taken, {buffer_.get() + plain_begin_, part})) {
      if (taken == 0) return -1;
      break;
    }
    taken += part;
    plain_begin_ += part;
  }
  if (peek_offset_ > 0) {
    peek_offset_ =
        static_cast<int>(std::max<int64_t>(0, int64_t{peek_offset_} - static_cast<int64_t>(taken)));
  }
  Settle(fd, last);
  CountDown(fd, taken);
  if (taken != 0 || last == Loaded::kFrame || last == Loaded::kEnd)
    return static_cast<ssize_t>(taken);
  errno = last == Loaded::kError ? std::exchange(pending_errno_, 0) : EAGAIN;
  return -1;
}

ssize_t Receiver::Peek(int fd, const iovec* vectors, size_t count, size_t wanted, int flags) {
  const size_t skipped = static_cast<size_t>(std::max(0, peek_offset_.load()));
  const Loaded last = Look(fd, skipped + wanted);
  if (plain() == 0) {
    if (last == Loaded::kEnd) return 0;
    errno = last == Loaded::kError ? std::exchange(pending_errno_, 0) : EAGAIN;
    return -1;
  }
  if (plain() <= skipped) return HasEnded(fd) ? 0 : (errno = EAGAIN, -1);
  const size_t part = std::min(wanted, plain() - skipped);
  if ((flags & MSG_TRUNC) == 0 &&
      !Scatter(vectors, count, 0, {buffer_.get() + plain_begin_ + skipped, part})) {
    return -1;
  }
  if (peek_offset_ >= 0) peek_offset_ += static_cast<int>(part);
  return static_cast<ssize_t>(part);
}

size_t Receiver::QueueNeeded(int fd, size_t octets, int flags) {
  const SignalsBlocked signals;  // a handler may use the connection too
  MutexLock lock(mutex_);
  if (layer_ == nullptr) return 0;
  if ((flags & MSG_PEEK) != 0) octets += static_cast<size_t>(std::max(0, peek_offset_.load()));
  const Loaded last = Look(fd, octets);
  if (plain() == 0) return last == Loaded::kNothing ? 1 : 0;
  if (plain() >= octets || full_ || pending_errno_ != 0 || failed_) return 0;
  return pos_ + Missing(octets) - base_;
}

void Receiver::SetLowWater(int fd, int octets) {
  const SignalsBlocked signals;  // a handler may use the connection too
  MutexLock lock(mutex_);
  wanted_ = octets < 0 ? INT_MAX : std::max(octets, 1);
  if (layer_ != nullptr) Settle(fd, Loaded::kFrame);
}

void Receiver::SetPeekOffset(int offset) {
  const SignalsBlocked signals;  // a handler may use the connection too
  MutexLock lock(mutex_);
  peek_offset_ = offset;
}

// No more than can surely be opened ahead.
size_t Receiver::wanted() const {
  return std::min(static_cast<size_t>(wanted_.load()), kMaxFrameSize / 2);
}

size_t Receiver::Available(int fd) {
  const SignalsBlocked signals;  // a handler may use the connection too
  MutexLock lock(mutex_);
  if (layer_ == nullptr) return 0;
  (void)Look(fd, SIZE_MAX);
  return counted_ = plain();
}

bool Receiver::IsReadable(int fd) {
  const SignalsBlocked signals;  // a handler may use the connection too
  MutexLock lock(mutex_);
  if (layer_ == nullptr) return true;
  const Loaded last = Look(fd, wanted());
  if (plain() == 0) return last != Loaded::kNothing;
  return plain() >= wanted() || full_ || pending_errno_ != 0 || HasEnded(fd);
}

bool Receiver::HasUnread(int fd) {
  const SignalsBlocked signals;  // a handler may use the connection too
  if (!mutex_.LockWithin(kCloseMilliseconds)) return true;
  bool unread = true;
  if (layer_ != nullptr) {
    const Loaded last = Look(fd, 1);
    unread = plain() != 0 || last == Loaded::kError;
    if (layer_->peer_closed() && !unread)
      (void)real::recv(fd, nullptr, INT_MAX, MSG_TRUNC | MSG_DONTWAIT);  // means nothing
  }
  mutex_.Unlock();
  return unread;
}

// Opens what has come until so much plaintext is there.
Receiver::Loaded Receiver::Look(int fd, size_t octets) {
  Loaded last = Loaded::kFrame;
  while (plain() == 0 && last == Loaded::kFrame) last = LoadFrame(fd);
  if (plain() != 0) Deepen(fd, octets);
  Settle(fd, last);
  return last;
}

Receiver::Loaded Receiver::LoadFrame(int fd) {
  if (pending_errno_ != 0) return Loaded::kError;
  if (failed_) return Loaded::kEnd;
  if (!Allocate()) {
    pending_errno_ = ENOMEM;
    return Loaded::kError;
  }
  Loaded opened = OpenNext(fd);
  if (opened != Loaded::kNothing) return opened;
  Loaded refilled = Refill(fd);
  if (refilled == Loaded::kError) return refilled;
  if (refilled == Loaded::kEnd) {
    if (shut_down_ || lost_ || let_go_) return Loaded::kEnd;
    if (end_ != pos_) return Fail(fd, {Errc::kTruncated, "the stream ended inside a frame"});
    if (!layer_->closes()) return Loaded::kEnd;
    return Fail(fd, {Errc::kTruncated, "the stream ended without the server's saying so"});
  }
  opened = OpenNext(fd);
  if (opened != Loaded::kNothing) return opened;

  // Less than a frame: take its beginning out, and have the kernel wait for the rest.
  if (end_ != base_) {
    (void)real::recv(fd, nullptr, end_ - base_, MSG_TRUNC | MSG_DONTWAIT);
    base_ = end_;
  }
  SetKernelLowWater(fd, pos_ + std::max(Missing(wanted()), window().size() + 1) - base_);
  return Loaded::kNothing;
}

Receiver::Loaded Receiver::OpenNext(int fd) {
  if (layer_->peer_closed()) return Loaded::kEnd;
  auto size = layer_->FrameSize(window());
  if (!size.ok()) return Fail(fd, size.status());
  if (*size == 0 || window().size() < *size) return Loaded::kNothing;
  ExpectTwo(*size);
  auto opened = layer_->Open({buffer_.get() + pos_, *size});
  if (!opened.ok()) return Fail(fd, opened.status());
  pos_ += *size;
  Keep(*opened);
  if (layer_->peer_closed() && !HasEnded(fd)) (void)real::shutdown(fd, SHUT_RD);
  return Loaded::kFrame;
}

// The second one must not have begun to be taken out of the kernel: where the session leaves for
// another process it is opened there.
void Receiver::ExpectTwo(size_t first) {
  const size_t second = pos_ + first;
  if (second < base_) return;
  const auto size = layer_->FrameSize({buffer_.get() + second, end_ - second});
  if (!size.ok() || *size == 0 || *size > end_ - second) return;
  layer_->Expect({buffer_.get() + pos_, first}, {buffer_.get() + second, *size});
}

// `opened` lies in its frame, or in the layer and may then be longer than the frame was: what has
// not been opened moves up, and what no longer fits is looked at again.
void Receiver::Keep(ByteSpan opened) {
  uint8_t* const buffer = buffer_.get();
  const bool in_frame = opened.data() >= buffer && opened.data() < buffer + kCapacity;
  if (plain() == 0)
    plain_begin_ = plain_end_ = in_frame ? static_cast<size_t>(opened.data() - buffer) : 0;
  const size_t plain_end = plain_end_ + opened.size();
  if (plain_end > pos_) {
    const size_t up = plain_end - pos_;
    end_ = std::min(end_, kCapacity - up);
    memmove(buffer + plain_end, buffer + pos_, end_ - pos_);
    base_ += up;
    pos_ += up;
    end_ += up;
  }
  if (!opened.empty()) memmove(buffer + plain_end_, opened.data(), opened.size());
  plain_end_ = plain_end;
}

bool Receiver::MakeRoom(size_t frame) {
  const size_t most = frame + (layer_->frames_are_messages() ? 0 : kMaxHeld);
  if (plain_end_ + most <= kCapacity) return true;
  memmove(buffer_.get(), buffer_.get() + plain_begin_, plain());
  plain_end_ -= std::exchange(plain_begin_, 0);
  return plain_end_ + most <= kCapacity;
}

Receiver::Loaded Receiver::Refill(int fd) {
  TakeOutSpent(fd);
  memmove(buffer_.get(), buffer_.get() + pos_, base_ - pos_);  // the beginning of a frame
  base_ -= pos_;
  plain_begin_ = plain_end_ = pos_ = 0;
  end_ = base_;
  const size_t open = LikelyToOpen(fd);
  const size_t likely = open > base_ ? open - base_ : kMaxFrameSize;
  ssize_t came = real::recv(fd, buffer_.get() + base_, likely, MSG_PEEK | MSG_DONTWAIT);
  if (came == 0) return Loaded::kEnd;
  if (came > 0) {
    end_ += static_cast<size_t>(came);
    const auto size = layer_->FrameSize(window());
    const bool whole = !size.ok() || (*size != 0 && *size <= window().size());
    if (size.ok()) last_frame_ = *size;
    if (!whole && static_cast<size_t>(came) == likely) {  // a larger one than the last
      came = real::recv(fd, buffer_.get() + base_, kMaxFrameSize, MSG_PEEK | MSG_DONTWAIT);
      if (came > 0) end_ = base_ + static_cast<size_t>(came);
    }
    return Loaded::kFrame;
  }
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return Loaded::kNothing;
  lost_ = true;
  if ((shut_down_ || let_go_) && layer_->closes()) return Loaded::kEnd;  // a last message refused
  pending_errno_ = errno;
  return Loaded::kError;
}

// What the next frames take if they are as large as the last one, and the header behind them: the
// kernel copies what is looked at, and would do so again for what cannot be opened yet.
size_t Receiver::LikelyToOpen(int fd) const {
  if (last_frame_ == 0) return kMaxFrameSize;
  const size_t frames = std::max<size_t>(1, kMaxFrameSize / last_frame_);
  if (frames == 1 && layer_->frames_are_messages()) {  // two, if they are there
    const size_t two = 2 * last_frame_ + kFrameHeaderSize;
    const ssize_t queued =
        real::recv(fd, nullptr, two - base_, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
    if (queued > 0 && base_ + static_cast<size_t>(queued) >= 2 * last_frame_) return two;
  }
  return std::min(kMaxFrameSize, frames * last_frame_ + kFrameHeaderSize);
}

void Receiver::Deepen(int fd, size_t wanted) {
  while (plain() < wanted) {
    const auto size = layer_->FrameSize(window());
    full_ = size.ok() && !MakeRoom(*size);
    if (full_) return;
    Loaded opened = OpenNext(fd);
    if (opened == Loaded::kFrame) continue;
    if (opened != Loaded::kNothing) return;  // reported once the plaintext before it is spent
    // The kernel's queue starts at base_: look at all of it again and keep what is new.
    const size_t known = end_ - base_, room = kCapacity - base_;
    full_ = known >= room;
    if (full_) return;
    std::unique_ptr<uint8_t[]> queue(new (std::nothrow) uint8_t[room]);
    if (!queue) return;
    ssize_t came = real::recv(fd, queue.get(), room, MSG_PEEK | MSG_DONTWAIT);
    if (came <= 0 || static_cast<size_t>(came) <= known) return;
    memcpy(buffer_.get() + end_, queue.get() + known, static_cast<size_t>(came) - known);
    end_ = base_ + static_cast<size_t>(came);
  }
}

void Receiver::TakeOutSpent(int fd) {
  while (pos_ > base_) {
    ssize_t gone = real::recv(fd, nullptr, pos_ - base_, MSG_TRUNC | MSG_DONTWAIT);
    if (gone < 0 && errno == EINTR) continue;
    if (gone <= 0) {  // it was there when it was looked at
      base_ = pos_;
      return;
    }
    base_ += static_cast<size_t>(gone);
  }
}

void Receiver::Settle(int fd, Loaded last) {
  if (plain() >= wanted() || (plain() != 0 && (full_ || pending_errno_ != 0))) {
    // At least so much is in the kernel, and must do to be readable.
    if (low_water_ > pos_ - base_)
      SetKernelLowWater(fd, std::min(pos_ - base_, layer_->MinFrameSize()));
    return;
  }
  if (plain() == 0) {
    TakeOutSpent(fd);
    full_ = false;
    if (last != Loaded::kFrame) return;  // LoadFrame has said what is missing, or nothing will come
  }
  SetKernelLowWater(fd, pos_ + Missing(wanted()) - base_);
}

// The fewest octets that can carry it: the frame that has begun, and one more for the rest.
size_t Receiver::Missing(size_t octets) const {
  size_t more = octets - std::min(octets, plain());
  if (!layer_->frames_are_messages()) more -= std::min(more, kMaxHeld);
  auto size = layer_->FrameSize(window());
  const bool known = size.ok() && *size != 0;
  if (more <= 1) return known ? *size : layer_->MinFrameSize();
  const size_t overhead = layer_->FrameOverhead();
  if (!known) return more + overhead;
  const size_t carried = *size - std::min(*size, overhead);
  return more <= carried ? *size : *size + overhead + more - carried;
}

void Receiver::SetKernelLowWater(int fd, size_t octets) {
  if (low_water_ == octets) return;
  low_water_ = octets;
  WriteKernelLowWater(fd);
}

void Receiver::WriteKernelLowWater(int fd) {
  int value = static_cast<int>(low_water_);
  (void)real::setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &value, sizeof value);
}

// A program that takes more than it was told of may believe that the rest has come since, with an
// edge of its own, and go to wait for it (nginx does). Writing SO_RCVLOWAT makes the kernel wake
// whoever waits.
void Receiver::CountDown(int fd, size_t taken) {
  if (counted_ == kNotCounted) return;
  if (taken > counted_) WriteKernelLowWater(fd);
  counted_ = taken > counted_ ? kNotCounted : counted_ - taken;
}

Receiver::Loaded Receiver::Fail(int fd, const Status& error) {
  Log::Warn("the connection is ended: " + error.message());
  failed_ = true;
  pending_errno_ = DataErrno(error.code());
  // Both sides see the end now, and the kernel says so to whoever polls.
  (void)real::shutdown(fd, SHUT_RDWR);
  return Loaded::kError;
}

}  // namespace socksify
