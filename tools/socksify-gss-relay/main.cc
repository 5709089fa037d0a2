// socksify-gss-relay: goes on with sessions whose descriptors the preloaded library cannot follow.
//
// The library starts it with a control socket as standard input and hands sessions over through
// that (handover.h). It is nobody's child: what was started exits at once, which says that it is
// up, and a child of that goes on until the control socket has ended and no session is left.
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>
#include <uv.h>

#include "tools/loop/stream.h"
#include "tools/socksify-gss-relay/handover.h"
#include "tools/socksify-gss-relay/session.h"

namespace socksify {
namespace {

constexpr int kControl = 0;
constexpr int kExitUsage = 125;  // not started by its own library

class Program final : public SessionHost {
 public:
  int Run() {
    if (uv_loop_init(&loop_) != 0 || uv_poll_init(&loop_, &control_, kControl) != 0) return 1;
    loop_.data = &read_buffer_;
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
      auto handover = ReceiveHandover(kControl, &more, &ended);
      if (!handover) continue;
      auto session = Session::New(&loop_, this, std::move(*handover));
      if (session != nullptr) session.release()->Start();  // it ends itself
    }
    if (ended) uv_close(reinterpret_cast<uv_handle_t*>(&control_), nullptr);
  }

  void EndSession(Session* session) override { delete session; }

  uv_loop_t loop_ = {};
  uv_poll_t control_ = {};
  ReadBuffer read_buffer_;
};

void RaiseToHard(decltype(RLIMIT_NOFILE) resource) {
  rlimit limit;
  if (getrlimit(resource, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)setrlimit(resource, &limit);
}

// Nothing of the application's is to be felt here: its descriptors, limits, signals, directory.
void Detach() {
  (void)close_range(STDERR_FILENO + 1, ~0u, 0);
  for (int signal_number = 1; signal_number < NSIG; signal_number++) {
    (void)signal(signal_number, signal_number == SIGPIPE ? SIG_IGN : SIG_DFL);
  }
  sigset_t none;
  (void)sigemptyset(&none);
  (void)sigprocmask(SIG_SETMASK, &none, nullptr);
  RaiseToHard(RLIMIT_NOFILE);
  RaiseToHard(RLIMIT_CPU);
  const rlimit nothing = {0, 0};
  (void)setrlimit(RLIMIT_CORE, &nothing);
  (void)prctl(PR_SET_DUMPABLE, 0);  // keys are in memory
  if (chdir("/") != 0) return;      // it always can be
}

int Main(int argc, char** argv) {
  if (argc != 2 || strcmp(argv[1], SOCKSIFY_VERSION) != 0 || !IsControlSocket(kControl)) {
    (void)fputs("socksify-gss-relay: part of socksify-gss " SOCKSIFY_VERSION
                ", which starts it by itself when a connection needs it\n",
                stderr);
    return kExitUsage;
  }
  Detach();
  const bool leads = setsid() != -1;  // refused to the leader of a process group
  const pid_t child = fork();
  if (child != 0) _exit(child == -1 ? 1 : 0);
  if (!leads) (void)setsid();
  return Program().Run();
}

}  // namespace
}  // namespace socksify

int main(int argc, char** argv) { return socksify::Main(argc, argv); }
