#include "shim/fork_share.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <new>
#include <vector>

namespace socksify {
namespace {

// Shared words are cut from pages of their own, and a page belongs to the process that made it: a
// child starts a new one, so that parent and child never give out the same words.
constexpr size_t kPageSize = 4096;
void* g_page = nullptr;
size_t g_used = 0;
pid_t g_page_owner = 0;

bool IsPagesOwner() { return g_page_owner == getpid(); }

pid_t Owner(uint64_t word) { return static_cast<pid_t>(word & UINT32_MAX); }
uint32_t Openings(uint64_t word) { return static_cast<uint32_t>(word >> 32); }
uint64_t Word(uint32_t openings, pid_t owner) {
  return uint64_t{openings} << 32 | static_cast<uint32_t>(owner);
}

void* AllocateShared(size_t size) {
  if (g_page == nullptr || g_used + size > kPageSize || !IsPagesOwner()) {
    void* page =
        mmap(nullptr, kPageSize, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) return nullptr;
    g_page = page;
    g_used = 0;
    g_page_owner = getpid();
  }
  void* words = static_cast<char*>(g_page) + g_used;
  g_used += size;
  return words;
}

}  // namespace

// Those that all have done with are used again. Looked for among a few: a fork with many sessions
// stays fast.
ForkShare::ClosingWords* ForkShare::NewClosingWords() {
  constexpr size_t kLooks = 8;
  static auto* const made = new std::vector<ClosingWords*>();
  static size_t next = 0;
  if (!IsPagesOwner()) made->clear();  // the parent's
  for (size_t looks = std::min(kLooks, made->size()); looks != 0; --looks) {
    ClosingWords* words = (*made)[next++ % made->size()];
    if (words->holders == kForgotten) return new (words) ClosingWords();
  }
  void* memory = AllocateShared(sizeof(ClosingWords));
  if (memory == nullptr) return nullptr;
  made->push_back(new (memory) ClosingWords());
  return made->back();
}

ForkShare::Words* ForkShare::NewWords(bool closes) {
  if (closes) return NewClosingWords();
  void* memory = AllocateShared(sizeof(Words));
  return memory == nullptr ? nullptr : new (memory) Words();
}

bool ForkShare::Prepare(bool closes, bool keep_sending, bool keep_receiving) {
  if (words_ == nullptr) {
    Words* const words = NewWords(closes);
    if (words == nullptr) return false;
    Reset();
    words_ = words;
  } else {
    Open(kReceive);
    Open(kSend);
  }
  if (keep_sending) (void)Claim(kSend);
  if (keep_receiving) (void)Claim(kReceive);
  if (closes) closing()->holders.fetch_add(1);
  return true;
}

// The count first: whoever finds the direction opened must find it known.
void ForkShare::Open(Direction direction) {
  std::atomic<uint64_t>& word = words_.load()->direction[direction];
  const uint64_t now = word;
  if (Owner(now) != getpid()) return;
  const uint32_t openings = Openings(now) + 1;
  openings_[direction] = openings;
  word = Word(openings, 0);
}

void ForkShare::Reset() {
  words_ = nullptr;
  for (auto& openings : openings_) openings = 0;
}

bool ForkShare::held_by_others() const {
  const ClosingWords* words = closing();
  return words != nullptr && words->holders.load() > 1;
}

bool ForkShare::CountOff() {
  ClosingWords* words = closing();
  return words == nullptr || words->holders.fetch_sub(1) == 1;
}

bool ForkShare::CountOn() {
  ClosingWords* words = closing();
  if (words == nullptr) return false;
  int holders = words->holders;
  while (holders > 0) {
    if (words->holders.compare_exchange_weak(holders, holders + 1)) return true;
  }
  return false;
}

void ForkShare::Forget() {
  if (ClosingWords* words = closing(); words != nullptr) words->holders = kForgotten;
  Reset();
}

// Who comes second has the same to say: neither has sent anything since the other could.
void ForkShare::Leave(ByteView message) {
  ClosingWords* words = closing();
  if (words == nullptr || message.size() > kMaxMessage || words->leaving.exchange(true)) return;
  if (CouldOwn(kSend)) {
    std::ranges::copy(message, words->message);
    words->left_at = words->direction[kSend].load();
    words->message_size = message.size();
  }
  words->leaving = false;
}

ByteView ForkShare::left() const {
  const ClosingWords* words = closing();
  if (words == nullptr || words->left_at != words->direction[kSend]) return {};
  return {words->message, words->message_size.load()};
}

bool ForkShare::Owns(Direction direction) const {
  const Words* words = words_.load(std::memory_order_acquire);
  return words == nullptr || Owner(words->direction[direction]) == getpid();
}

bool ForkShare::CouldOwn(Direction direction) const {
  const Words* words = words_.load(std::memory_order_acquire);
  return Owns(direction) || words->direction[direction] == Word(openings_[direction], 0);
}

bool ForkShare::Claim(Direction direction) {
  std::atomic<uint64_t>& word = words_.load()->direction[direction];
  const pid_t self = getpid();
  uint64_t now = word;
  if (Owner(now) == self) return true;
  const uint32_t openings = openings_[direction];
  if (now != Word(openings, 0)) return false;
  return word.compare_exchange_strong(now, Word(openings, self)) || Owner(now) == self;
}

}  // namespace socksify
