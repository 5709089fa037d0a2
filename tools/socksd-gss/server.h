// Listens, hands each connection to the worker with the fewest, and stops in order: on the first
// SIGTERM or SIGINT the listeners close and running sessions finish; a second one ends the process.
// On SIGHUP new sessions get new rules.
#ifndef TOOLS_SOCKSD_GSS_SERVER_H_
#define TOOLS_SOCKSD_GSS_SERVER_H_

#include <uv.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "lib/base/result.h"
#include "tools/loop/crew.h"
#include "tools/loop/timer.h"
#include "tools/socksd-gss/listener.h"
#include "tools/socksd-gss/session.h"
#include "tools/socksd-gss/worker.h"

namespace socksify {

class Server {
 public:
  // What the sessions that begin go by, and who makes it anew on SIGHUP; when that fails the old
  // rules stay.
  using Rules = std::shared_ptr<const ServerRules>;
  using RulesReader = std::function<Result<Rules>()>;

  // `max_clients` 0: no limit.
  Server(Rules rules, RulesReader read_rules, size_t max_clients);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Before Run(). `where`: ADDR, ADDR:PORT or [ADDR]:PORT.
  Status Listen(const std::string& where);

  // Says on stdout where it listens, then serves until it is told to stop and all sessions are
  // over.
  Status Run(unsigned threads);

 private:
  size_t Sessions() const;
  void OnAcceptable(const Listener& listener);
  void OnSessionEnded();
  void OnSignal(int signal);
  void Reload();
  void Pause();
  void Resume();
  void Stop();
  void Finish();

  Rules rules_;
  const RulesReader read_rules_;
  const size_t max_clients_;
  uv_loop_t loop_ = {};
  uv_async_t session_ended_ = {};
  uv_signal_t signals_[3] = {};
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::unique_ptr<Crew> crew_;  // of all workers, which are at most one for each core
  std::vector<std::unique_ptr<Worker>> workers_;
  size_t turn_ = 0;  // the worker that is asked first
  bool paused_ = false;
  bool stopping_ = false;
  Timer retry_;
};

}  // namespace socksify

#endif  // TOOLS_SOCKSD_GSS_SERVER_H_
