// Threads that help a loop's thread with work that it waits for.
#ifndef TOOLS_LOOP_CREW_H_
#define TOOLS_LOOP_CREW_H_

#include <uv.h>

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <vector>

namespace socksify {

// Work in steps that do not depend on each other, whose results are wanted in order.
class CrewWork {
 public:
  virtual void Step(size_t step) = 0;  // in any thread
  virtual void Take(size_t step) = 0;  // in the caller's: the step, and each before it, is done

 protected:
  ~CrewWork() = default;
};

class Crew {
 public:
  static constexpr size_t kMaxSteps = 64;

  // `hands`: threads besides the caller's, which begin with the first work.
  explicit Crew(unsigned hands) : hands_wanted_(hands) {}
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;
  ~Crew();  // nobody is in Run()

  // Does `steps` steps, at most kMaxSteps, each once, and returns when all are taken. One caller at
  // a time has the crew; who finds it busy does all in its own thread.
  void Run(CrewWork* work, size_t steps);

 private:
  void BeginHands();
  void Help();
  void DoNext(std::unique_lock<std::mutex>& lock);

  const unsigned hands_wanted_;
  std::mutex mutex_;  // guards the rest; not held in a step
  std::condition_variable wanted_, done_;
  std::vector<uv_thread_t> hands_;
  CrewWork* work_ = nullptr;
  size_t steps_ = 0;
  size_t next_ = 0;        // nobody has begun this step
  uint64_t finished_ = 0;  // a bit for each step
  bool begun_ = false;
  bool stopping_ = false;
};

}  // namespace socksify

#endif  // TOOLS_LOOP_CREW_H_
