#include "shim/fork_share.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <new>

namespace socksify {
namespace {

// Shared words are cut from pages of their own, and a page belongs to the process that made it: a
// child starts a new one, so that parent and child never give out the same words.
constexpr size_t kPageSize = 4096;
void* g_page = nullptr;
size_t g_used = 0;
pid_t g_page_owner = 0;

void* AllocateShared(size_t size) {  // called before fork(), under the pool's lock
  if (g_page == nullptr || g_used + size > kPageSize || g_page_owner != getpid()) {
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

bool ForkShare::Prepare(bool keep_sending, bool keep_receiving) {
  Words* words = words_;
  const pid_t self = getpid();
  if (words == nullptr) {
    void* memory = AllocateShared(sizeof(Words));
    if (memory == nullptr) return false;
    words = new (memory) Words();
    words->holders = 1;
  } else {
    for (auto& owner : words->owner) {
      pid_t mine = self;
      owner.compare_exchange_strong(mine, 0);
    }
  }
  auto keep = [&](Direction direction) {
    pid_t nobody = 0;
    words->owner[direction].compare_exchange_strong(nobody, self);
  };
  words->holders.fetch_add(1);
  if (keep_sending) keep(kSend);
  if (keep_receiving) keep(kReceive);
  words_ = words;
  return true;
}

bool ForkShare::held_by_others() const {
  const Words* words = words_.load(std::memory_order_acquire);
  return words != nullptr && words->holders.load() > 1;
}

bool ForkShare::CountOff() {
  Words* words = words_;
  return words == nullptr || words->holders.fetch_sub(1) == 1;
}

void ForkShare::CountOn() {
  if (Words* words = words_; words != nullptr) words->holders.fetch_add(1);
}

void ForkShare::Leave(ByteView message) {
  Words* words = words_;
  if (words == nullptr || message.size() > kMaxMessage) return;
  std::ranges::copy(message, words->message);
  words->message_size = message.size();
}

ByteView ForkShare::left() const {
  const Words* words = words_;
  if (words == nullptr) return {};
  return {words->message, words->message_size.load()};
}

bool ForkShare::Owns(Direction direction) const {
  const Words* words = words_.load(std::memory_order_acquire);
  return words == nullptr || words->owner[direction].load() == getpid();
}

bool ForkShare::Claim(Direction direction) {
  std::atomic<pid_t>& owner = words_.load()->owner[direction];
  const pid_t self = getpid();
  pid_t nobody = 0;
  return owner.load() == self || owner.compare_exchange_strong(nobody, self) || nobody == self;
}

}  // namespace socksify
