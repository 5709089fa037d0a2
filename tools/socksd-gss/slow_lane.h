// Where an event loop sends what takes long, such as the hash of a password: one piece of it at a
// time runs on a thread of libuv's pool while the loop goes on with its other sessions, so as many
// run at once as there are loops, and the rest waits its turn.
//
// For the loop's thread only.
#ifndef TOOLS_SOCKSD_GSS_SLOW_LANE_H_
#define TOOLS_SOCKSD_GSS_SLOW_LANE_H_

#include <uv.h>

#include <deque>

namespace socksify {

class SlowWork {
 public:
  virtual void Work() = 0;      // on the other thread, with nobody else in this object
  virtual void OnWorked() = 0;  // on the loop's, after it

 protected:
  ~SlowWork() = default;
};

class SlowLane {
 public:
  explicit SlowLane(uv_loop_t* loop) : loop_(loop) { request_.data = this; }
  SlowLane(const SlowLane&) = delete;
  SlowLane& operator=(const SlowLane&) = delete;

  // `work` must live until OnWorked().
  void Add(SlowWork* work);

 private:
  void RunNext();

  uv_loop_t* const loop_;
  uv_work_t request_ = {};
  SlowWork* running_ = nullptr;
  std::deque<SlowWork*> waiting_;
};

}  // namespace socksify

#endif  // TOOLS_SOCKSD_GSS_SLOW_LANE_H_
