// socksify-gss-relay: goes on with sessions whose descriptors the preloaded library cannot follow.
//
// The library starts it with a control socket as standard input and hands sessions over through
// that (handover.h). It is nobody's child: what was started exits at once, which says that it is
// up, and a child of that goes on until the control socket has ended and no session is left.
#include <uv.h>

#include "tools/helper/start.h"
#include "tools/loop/stream.h"
#include "tools/socksify-gss-relay/handover.h"
#include "tools/socksify-gss-relay/session.h"

namespace socksify {
namespace {

class Program final : public SessionHost {
 public:
  int Run() {
    if (uv_loop_init(&loop_) != 0 || uv_poll_init(&loop_, &control_, kControlSocket) != 0) return 1;
    loop_.data = &buffers_;
    control_.data = this;
    (void)uv_poll_start(&control_, UV_READABLE, [](uv_poll_t* handle, int, int) {
      static_cast<Program*>(handle->data)->OnControl();
    });
    (void)uv_run(&loop_, UV_RUN_DEFAULT);  // until no handle is left
    return uv_loop_close(&loop_) == 0 ? 0 : 1;
  }

 private:
  // A few at a time: the sessions that run are to go on meanwhile.
  void OnControl() {
    constexpr int kAtOnce = 16;
    bool more = true, ended = false;
    for (int i = 0; more && i < kAtOnce; i++) {
      auto handover = ReceiveHandover(kControlSocket, &more, &ended);
      if (!handover) continue;
      auto session = Session::New(&loop_, this, std::move(*handover));
      if (session != nullptr) session.release()->Start();  // it ends itself
    }
    if (ended) uv_close(reinterpret_cast<uv_handle_t*>(&control_), nullptr);
  }

  void EndSession(Session* session) override { delete session; }

  uv_loop_t loop_ = {};
  uv_poll_t control_ = {};
  LoopBuffers buffers_;
};

}  // namespace
}  // namespace socksify

int main(int argc, char** argv) {
  const int failed =
      socksify::BecomeHelper(argc, argv, "socksify-gss-relay", "a connection needs it");
  return failed != 0 ? failed : socksify::Program().Run();
}
