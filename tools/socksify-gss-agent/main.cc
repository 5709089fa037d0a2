// socksify-gss-agent: holds what one process or descriptor of an application cannot, its UDP
// associations and the listeners of BIND.
//
// The preloaded library starts it with a control socket as standard input and asks over that
// (lib/io/agent_protocol.h). It is nobody's child: what was started exits at once, which says that
// it is up, and a child of that goes on until the control socket has ended, and every channel.
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

#include <cerrno>
#include <optional>
#include <utility>

#include "lib/base/log.h"
#include "lib/config/loader.h"
#include "tools/helper/start.h"
#include "tools/loop/stream.h"
#include "tools/socksify-gss-agent/association.h"
#include "tools/socksify-gss-agent/batch.h"
#include "tools/socksify-gss-agent/listener.h"
#include "tools/socksify-gss-agent/request.h"

namespace socksify {
namespace {

class Program final : public RequestOwner {
 public:
  Program() : config_(LoadFrom([](const char* name) -> const char* { return getenv(name); })) {
    if (config_.ok()) OpenLog();
  }

  int Run() {
    if (uv_loop_init(&loop_) != 0) return 1;
    loop_.data = &buffers_;
    control_.emplace(&loop_, this, UniqueFd(kControlSocket));
    if (!control_->Start()) return 1;
    (void)uv_run(&loop_, UV_RUN_DEFAULT);  // until no handle is left
    return uv_loop_close(&loop_) == 0 ? 0 : 1;
  }

 private:
  void OnRequest(IncomingRequest incoming) override {
    AgentReply refusal;
    if (!config_.ok()) {
      refusal.error = ConnectErrno(config_.status().code());
      refusal.message = config_.status().message();
    } else if (incoming.request.kind == AgentRequest::Kind::kAssociate) {
      return Association::Start(&loop_, *config_, batch_, std::move(incoming));
    } else if (incoming.request.kind == AgentRequest::Kind::kListen) {
      return Listener::Start(&loop_, *config_, std::move(incoming));
    } else {
      refusal.error = EINVAL;
    }
    incoming.reply.Send(refusal);
  }

  void OnRequestsEnd() override { control_.reset(); }

  void OpenLog() const {
    const int file = config_->log_file.empty()
                         ? -1
                         : open(config_->log_file.c_str(),
                                O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0600);
    Log::Open("socksify-gss-agent", config_->log_level, file == -1 ? STDERR_FILENO : file, &write);
  }

  const Result<Config> config_;
  uv_loop_t loop_ = {};
  std::optional<RequestSocket> control_;
  LoopBuffers buffers_;
  Batch batch_;
};

}  // namespace
}  // namespace socksify

int main(int argc, char** argv) {
  const int failed = socksify::BecomeHelper(argc, argv, "socksify-gss-agent",
                                            "a program uses datagrams, or listens");
  return failed != 0 ? failed : socksify::Program().Run();
}
