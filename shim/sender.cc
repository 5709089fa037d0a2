#include "shim/sender.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "lib/base/log.h"
#include "lib/wire/frame.h"
#include "shim/real_calls.h"
#include "shim/signals.h"
#include "shim/user_memory.h"

namespace socksify {
namespace {

// Frames that one system call sends. The first of a call of the application's goes by itself, so
// that the peer begins early; then waking the peer is the dearer part.
constexpr size_t kMostTogether = 2;
constexpr size_t kShort = 16384;  // and what is left behind it goes along if it is shorter

constexpr int kEndMilliseconds = 10'000;  // for another thread to come out of send(), if it lives

// Gathers up to `limit` octets of the vectors behind the first `offset`. A single vector is not
// copied. False with errno when a page on the way cannot be read and nothing comes before it.
bool Gather(const iovec* vectors, size_t count, size_t offset, size_t limit, Bytes* copy,
            ByteView* gathered) {
  constexpr size_t kLooked = 4096;  // a vector's ends have been looked at before
  *gathered = {};
  size_t i = 0;
  while (i < count && offset >= vectors[i].iov_len) offset -= vectors[i++].iov_len;
  if (i == count) return true;
  auto part = [&] {
    return ByteView(static_cast<const uint8_t*>(vectors[i].iov_base) + offset,
                    std::min(limit - copy->size(), vectors[i].iov_len - offset));
  };
  auto is_bad = [&](ByteView octets) {
    return vectors[i].iov_len > kLooked && !IsAllReadable(octets.data(), octets.size());
  };
  copy->clear();
  const ByteView first = part();
  if (is_bad(first)) return errno = EFAULT, false;
  if (first.size() == limit || i + 1 == count) return *gathered = first, true;
  for (; i < count && copy->size() < limit; ++i, offset = 0) {
    if (vectors[i].iov_len <= offset) continue;
    if (is_bad(part())) break;  // the next call says so
    Append(*copy, part());
  }
  *gathered = *copy;
  return true;
}

}  // namespace

void Sender::Start(SecurityLayer* layer) { layer_ = layer; }

void Sender::Reset() {
  MutexLock lock(mutex_);
  Clear();
}

void Sender::HandOver(SessionState* state) {
  state->unsent.assign(frames_.begin() + static_cast<ptrdiff_t>(sent_), frames_.end());
  state->sending_ended = ended_;
  Clear();
}

void Sender::Clear() {
  layer_ = nullptr;
  frames_ = Bytes();
  sent_ = 0;
  has_tail_ = false;
  shut_down_ = false;
  closing_ = false;
  ended_ = false;
  broken_errno_ = 0;
}

ssize_t Sender::Put(int fd, const iovec* vectors, size_t count, size_t offset, int flags) {
  const SignalsBlocked signals;  // a handler may use the connection too
  MutexLock lock(mutex_);
  if (layer_ == nullptr) return errno = ENOTCONN, -1;  // gone while the caller was on its way
  if (broken_errno_ != 0 || shut_down_ || (ended_ && layer_->closes())) {
    errno = EPIPE;
    return -1;
  }
  if (FlushLocked(fd, flags) != 0) return -1;

  const size_t wanted = TotalSize(vectors, count) - offset;
  if (wanted > kBulkPlaintext) {
    frames_.reserve(kMostTogether * kMaxFrameSize);
  } else if (frames_.capacity() >= kMostTogether * kMaxFrameSize) {
    frames_ = Bytes();  // the bulk is over
  }
  ssize_t accepted = 0;
  size_t together = wanted < kBulkPlaintext + kShort ? kMostTogether : 1;
  for (;; together = kMostTogether) {
    const ssize_t sealed = SealSome(fd, vectors, count, offset, together);
    if (sealed <= 0) return accepted != 0 ? accepted : sealed;
    const int unsent = FlushLocked(fd, flags);
    if (unsent != 0 && errno != EAGAIN) return accepted != 0 ? accepted : -1;
    accepted += sealed;
    offset += static_cast<size_t>(sealed);
    if (unsent != 0) return accepted;
  }
}

// At most `frames` frames become the tail. Returns the octets in them, 0 when none are left, -1
// with errno.
ssize_t Sender::SealSome(int fd, const iovec* vectors, size_t count, size_t offset, size_t frames) {
  const size_t most = std::min(layer_->MaxPlaintext(), kBulkPlaintext);
  Bytes copy;
  size_t sealed = 0;
  for (; frames != 0; --frames) {
    ByteView plain;
    if (!Gather(vectors, count, offset + sealed, most, &copy, &plain)) {
      if (sealed == 0) return -1;
      break;  // the next call says so
    }
    if (plain.empty()) break;
    if (Status status = layer_->Seal(plain, &frames_); !status.ok()) {
      Log::Warn("the connection is ended: " + status.message());
      broken_errno_ = DataErrno(status.code());
      DropTail();
      (void)real::shutdown(fd, SHUT_RDWR);
      return errno = broken_errno_, -1;
    }
    has_tail_ = true;
    sealed += plain.size();
  }
  return static_cast<ssize_t>(sealed);
}

int Sender::Flush(int fd) {
  const SignalsBlocked signals;  // a handler may use the connection too
  MutexLock lock(mutex_);
  return FlushLocked(fd, 0);
}

int Sender::FlushLocked(int fd, int flags) {
  while (sent_ < frames_.size()) {
    ssize_t sent = real::send(fd, frames_.data() + sent_, frames_.size() - sent_,
                              (flags & MSG_MORE) | MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno == EWOULDBLOCK) errno = EAGAIN;
      if (errno !=
          EAGAIN) {  // the peer has part of a frame at most: nothing more makes sense to it
        broken_errno_ = errno;
        DropTail();
        errno = broken_errno_;
      }
      return -1;
    }
    sent_ += static_cast<size_t>(sent);
  }
  DropTail();
  if (shut_down_) (void)real::shutdown(fd, SHUT_WR);
  return 0;
}

int Sender::ShutDown(int fd) {
  const SignalsBlocked signals;  // a handler may use the connection too
  MutexLock lock(mutex_);
  if (shut_down_ && has_tail_) return 0;
  SealEnd();
  if (FlushLocked(fd, MSG_MORE) != 0 && errno == EAGAIN) {
    shut_down_ = true;
    return 0;
  }
  return real::shutdown(fd, SHUT_WR);
}

void Sender::SealEnd() {
  if (std::exchange(ended_, true) || layer_ == nullptr || broken_errno_ != 0) return;
  if (Status status = layer_->Close(&frames_); !status.ok()) return;  // a truncation to the peer
  has_tail_ = sent_ < frames_.size();
}

void Sender::Close(int fd) {
  const SignalsBlocked signals;
  if (!mutex_.LockWithin(kEndMilliseconds)) return;
  SealEnd();
  FlushClose(fd);
  mutex_.Unlock();
}

void Sender::FlushClose(int fd) {
  closing_ = true;
  if (FlushLocked(fd, MSG_MORE) == 0) {
    (void)real::shutdown(fd, SHUT_WR);
  } else if (errno == EAGAIN) {
    shut_down_ = true;
  }
}

Bytes Sender::SealClose() {
  const SignalsBlocked signals;
  if (!mutex_.LockWithin(kEndMilliseconds)) return {};
  const bool tail = has_tail_;  // then it goes behind that
  Bytes sealed;
  SealEnd();
  if (!tail) {
    sealed = frames_;
    DropTail();
  }
  mutex_.Unlock();
  return sealed;
}

void Sender::SendSealed(int fd, ByteView frames) {
  const SignalsBlocked signals;
  if (!mutex_.LockWithin(kEndMilliseconds)) return;
  if (broken_errno_ == 0) Append(frames_, frames);
  has_tail_ = sent_ < frames_.size();
  FlushClose(fd);
  mutex_.Unlock();
}

void Sender::ForgetTail() { DropTail(); }

Bytes Sender::TakeTailAtExit(int fd) {
  if (!mutex_.LockWithin(kEndMilliseconds)) return {};
  Bytes tail;
  if (has_tail_ && FlushLocked(fd, MSG_NOSIGNAL) != 0 && errno == EAGAIN) {
    tail.assign(frames_.begin() + static_cast<ptrdiff_t>(sent_), frames_.end());
    broken_errno_ = EPIPE;          // should the process live on, nothing may follow here
    shut_down_ = closing_ = false;  // nor a FIN go before it
    DropTail();
  }
  mutex_.Unlock();
  return tail;
}

void Sender::DropTail() {
  frames_.clear();
  sent_ = 0;
  has_tail_ = false;
}

}  // namespace socksify
