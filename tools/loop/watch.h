// Readiness of one descriptor on a libuv loop: calls one function with one argument. Stops when it
// is destroyed; the descriptor is its owner's and may be closed after that. For the loop's thread
// only.
#ifndef TOOLS_LOOP_WATCH_H_
#define TOOLS_LOOP_WATCH_H_

#include <uv.h>

#include <utility>

namespace socksify {

class Watch {
 public:
  using Function = void (*)(void* argument);

  Watch(uv_loop_t* loop, Function function, void* argument)
      : loop_(loop), function_(function), argument_(argument) {}
  ~Watch() { Stop(); }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  // From now on for `events` (UV_READABLE, UV_WRITABLE; 0: rest) on `fd`, which must be the same
  // until Stop(); it does not block from now on. An error is readiness too: the function must take
  // it off the descriptor. It may start, stop or destroy the watch. False: `fd` cannot be watched.
  bool Start(int fd, int events) {
    if (handle_ == nullptr && events == 0) return true;
    if (handle_ == nullptr) {
      handle_ = new uv_poll_t;
      if (uv_poll_init(loop_, handle_, fd) != 0) {
        delete std::exchange(handle_, nullptr);
        return false;
      }
      handle_->data = this;
    }
    if (events == events_) return true;
    events_ = events;
    return (events == 0 ? uv_poll_stop(handle_) : uv_poll_start(handle_, events, &OnPoll)) == 0;
  }

  void Stop() {
    if (handle_ == nullptr) return;
    events_ = 0;
    uv_close(reinterpret_cast<uv_handle_t*>(std::exchange(handle_, nullptr)),
             [](uv_handle_t* handle) { delete reinterpret_cast<uv_poll_t*>(handle); });
  }

 private:
  static void OnPoll(uv_poll_t* handle, int error, int) {
    auto* self = static_cast<Watch*>(handle->data);
    if (error != 0) (void)uv_poll_start(handle, self->events_, &OnPoll);  // libuv has stopped it
    self->function_(self->argument_);
  }

  uv_loop_t* const loop_;
  const Function function_;
  void* const argument_;
  uv_poll_t* handle_ = nullptr;
  int events_ = 0;
};

}  // namespace socksify

#endif  // TOOLS_LOOP_WATCH_H_
