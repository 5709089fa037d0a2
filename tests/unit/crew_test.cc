// Work that several threads share.
#include "tools/loop/crew.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace socksify {
namespace {

// Counts how often each step is done, and holds the taken ones to their order.
class CountedWork : public CrewWork {
 public:
  explicit CountedWork(size_t steps) : done_(steps) {}
  virtual ~CountedWork() = default;

  void Step(size_t step) override { ++done_[step]; }
  void Take(size_t step) override {
    EXPECT_EQ(step, taken_++);
    EXPECT_EQ(done_[step], 1);
    EXPECT_EQ(std::this_thread::get_id(), caller_);
  }

  void Check() const {
    EXPECT_EQ(taken_, done_.size());
    for (const auto& count : done_) EXPECT_EQ(count, 1);
  }

 private:
  const std::thread::id caller_ = std::this_thread::get_id();
  std::vector<std::atomic<int>> done_;
  size_t taken_ = 0;
};

TEST(CrewTest, EachStepIsDoneOnceAndTakenInOrder) {
  for (unsigned hands : {0u, 1u, 3u}) {
    Crew crew(hands);
    for (size_t round = 0; round < 200; ++round) {
      CountedWork work(1 + round % 9);
      crew.Run(&work, 1 + round % 9);
      work.Check();
    }
  }
}

// The first step ends only once another thread has begun the second.
class WorkForTwo final : public CrewWork {
 public:
  void Step(size_t step) override {
    if (step == 0) {
      begun_.wait(false);
    } else {
      begun_ = true;
      begun_.notify_all();
    }
  }
  void Take(size_t) override { ++taken_; }
  int taken() const { return taken_; }

 private:
  std::atomic<bool> begun_{false};
  int taken_ = 0;
};

TEST(CrewTest, HandsWorkBesideTheCaller) {
  Crew crew(1);
  WorkForTwo work;
  crew.Run(&work, 2);
  EXPECT_EQ(work.taken(), 2);
}

// Asks for the crew in the middle of its own step.
class WorkInWork final : public CountedWork {
 public:
  explicit WorkInWork(Crew* crew) : CountedWork(4), crew_(crew) {}
  void Step(size_t step) override {
    CountedWork inner(5);
    crew_->Run(&inner, 5);
    inner.Check();
    CountedWork::Step(step);
  }

 private:
  Crew* const crew_;
};

TEST(CrewTest, WhoFindsItBusyDoesAllAlone) {
  Crew crew(2);
  for (int round = 0; round < 50; ++round) {
    WorkInWork work(&crew);
    crew.Run(&work, 4);
    work.Check();
  }
}

}  // namespace
}  // namespace socksify
