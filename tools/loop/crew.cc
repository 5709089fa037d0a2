#include "tools/loop/crew.h"

namespace socksify {

Crew::~Crew() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wanted_.notify_all();
  for (uv_thread_t& hand : hands_) (void)uv_thread_join(&hand);
}

void Crew::Run(CrewWork* work, size_t steps) {
  std::unique_lock lock(mutex_);
  if (hands_wanted_ == 0 || work_ != nullptr) {
    lock.unlock();
    for (size_t step = 0; step < steps; ++step) work->Step(step), work->Take(step);
    return;
  }
  BeginHands();
  work_ = work;
  steps_ = steps;
  next_ = 0;
  finished_ = 0;
  for (size_t step = 1; step < steps && step <= hands_.size(); ++step) wanted_.notify_one();
  for (size_t taken = 0; taken < steps;) {
    if ((finished_ >> taken & 1) != 0) {
      lock.unlock();
      work->Take(taken++);
      lock.lock();
    } else if (next_ < steps_) {
      DoNext(lock);
    } else {
      done_.wait(lock);
    }
  }
  work_ = nullptr;
}

void Crew::BeginHands() {
  if (begun_) return;
  begun_ = true;
  for (unsigned i = 0; i < hands_wanted_; ++i) {
    uv_thread_t hand;
    auto run = [](void* self) { static_cast<Crew*>(self)->Help(); };
    if (uv_thread_create(&hand, run, this) != 0) break;  // fewer will do
    hands_.push_back(hand);
  }
}

void Crew::Help() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wanted_.wait(lock, [this] { return stopping_ || (work_ != nullptr && next_ < steps_); });
    if (stopping_) return;
    DoNext(lock);
    done_.notify_one();
  }
}

void Crew::DoNext(std::unique_lock<std::mutex>& lock) {
  const size_t step = next_++;
  CrewWork* const work = work_;
  lock.unlock();
  work->Step(step);
  lock.lock();
  finished_ |= uint64_t{1} << step;
}

}  // namespace socksify
