// A timer on a libuv loop that calls one function with one argument. Stops when it is destroyed.
// For the loop's thread only.
#ifndef TOOLS_LOOP_TIMER_H_
#define TOOLS_LOOP_TIMER_H_

#include <uv.h>

#include <cstdint>

namespace socksify {

class Timer {
 public:
  using Function = void (*)(void* argument);

  Timer(uv_loop_t* loop, Function function, void* argument)
      : loop_(loop), function_(function), argument_(argument) {}
  ~Timer() { Stop(); }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  // Anew if it runs. The function may start, stop or destroy the timer.
  void Start(uint64_t milliseconds) {
    if (handle_ == nullptr) {
      handle_ = new uv_timer_t;
      (void)uv_timer_init(loop_, handle_);  // cannot fail
      handle_->data = this;
    }
    uv_update_time(loop_);  // from now, not from when the loop last looked
    (void)uv_timer_start(
        handle_,
        [](uv_timer_t* handle) {
          auto* self = static_cast<Timer*>(handle->data);
          self->function_(self->argument_);
        },
        milliseconds, 0);
  }

  void Stop() {  // an idle session keeps no handle
    if (handle_ == nullptr) return;
    uv_close(reinterpret_cast<uv_handle_t*>(handle_),
             [](uv_handle_t* handle) { delete reinterpret_cast<uv_timer_t*>(handle); });
    handle_ = nullptr;
  }

 private:
  uv_loop_t* const loop_;
  const Function function_;
  void* const argument_;
  uv_timer_t* handle_ = nullptr;
};

}  // namespace socksify

#endif  // TOOLS_LOOP_TIMER_H_
