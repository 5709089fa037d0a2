#include "tools/socksd-gss/server.h"

#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "lib/base/log.h"

namespace socksify {
namespace {

constexpr int kAcceptsAtOnce = 64;  // then signals and ended sessions get their turn
constexpr uint64_t kAcceptRetryMs = 200;
constexpr unsigned kMaxHands = 3;  // a relay reads four frames at once
constexpr int kSignals[] = {SIGTERM, SIGINT, SIGHUP};

}  // namespace

Server::Server(Rules rules, RulesReader read_rules, size_t max_clients)
    : rules_(std::move(rules)),
      read_rules_(std::move(read_rules)),
      max_clients_(max_clients),
      retry_(
          &loop_, [](void* self) { static_cast<Server*>(self)->Resume(); }, this) {}

Status Server::Listen(const std::string& where) { return Listener::Open(where, &listeners_); }

Status Server::Run(unsigned threads) {
  if (int error = uv_loop_init(&loop_); error != 0) {
    return {Errc::kNetwork, std::string("cannot make an event loop: ") + uv_strerror(error)};
  }
  (void)uv_async_init(&loop_, &session_ended_, [](uv_async_t* async) {
    static_cast<Server*>(async->data)->OnSessionEnded();
  });
  session_ended_.data = this;
  crew_ = std::make_unique<Crew>(std::min(threads - 1, kMaxHands));
  for (unsigned i = 0; i < threads; i++) {
    auto worker = std::make_unique<Worker>(&session_ended_, crew_.get());
    if (Status status = worker->Start(); !status.ok()) {
      for (auto& started : workers_) started->Join();
      return status;
    }
    workers_.push_back(std::move(worker));
  }
  for (size_t i = 0; i < std::size(kSignals); i++) {
    (void)uv_signal_init(&loop_, &signals_[i]);
    signals_[i].data = this;
    (void)uv_signal_start(
        &signals_[i],
        [](uv_signal_t* signal, int number) {
          static_cast<Server*>(signal->data)->OnSignal(number);
        },
        kSignals[i]);
  }
  Resume();
  for (const auto& listener : listeners_) {
    printf("listening on %s\n", listener->address().ToString().c_str());
  }
  fflush(stdout);
  uv_run(&loop_, UV_RUN_DEFAULT);  // until Finish()
  for (auto& worker : workers_) worker->Join();
  (void)uv_loop_close(&loop_);
  return {};
}

size_t Server::Sessions() const {
  size_t sum = 0;
  for (const auto& worker : workers_) sum += worker->sessions();
  return sum;
}

void Server::OnAcceptable(const Listener& listener) {
  for (int i = 0; i < kAcceptsAtOnce || stopping_; i++) {
    if (max_clients_ != 0 && Sessions() >= max_clients_) {
      Log::Warn("--max-clients reached; new clients wait");
      return Pause();
    }
    const int fd = listener.Accept();
    if (fd == -EAGAIN) return;
    if (fd == -EMFILE || fd == -ENFILE || fd == -ENOBUFS || fd == -ENOMEM) {
      // The connection stays in the backlog, so polling on would spin.
      Log::Warn(std::string("cannot accept a client for now: ") + strerror(-fd));
      Pause();
      return retry_.Start(kAcceptRetryMs);
    }
    if (fd < 0) continue;  // that connection is gone: accept(2), "Error handling"
    Worker* least = workers_[turn_++ % workers_.size()].get();
    for (const auto& worker : workers_) {
      if (worker->sessions() < least->sessions()) least = worker.get();
    }
    least->Give(fd, rules_);
  }
}

void Server::OnSessionEnded() {
  if (stopping_) return Finish();
  if (max_clients_ == 0 || Sessions() < max_clients_) Resume();
}

void Server::OnSignal(int signal) {
  if (signal == SIGHUP) return Reload();
  Stop();
}

void Server::Reload() {
  auto rules = read_rules_();
  if (!rules.ok()) {
    return Log::Error("not reloaded, new clients get what there was: " + rules.status().message());
  }
  rules_ = std::move(*rules);
  Log::Info("reloaded: new clients get certificates and users as the files have them now");
}

void Server::Pause() {
  paused_ = true;
  for (const auto& listener : listeners_) listener->Stop();
}

void Server::Resume() {
  paused_ = false;
  for (const auto& listener : listeners_) {
    listener->Start(
        &loop_,
        [](const Listener& acceptable, void* self) {
          static_cast<Server*>(self)->OnAcceptable(acceptable);
        },
        this);
  }
}

void Server::Stop() {
  stopping_ = true;
  retry_.Stop();
  // The default action is back: a second signal ends the process.
  for (uv_signal_t& each : signals_) uv_close(reinterpret_cast<uv_handle_t*>(&each), nullptr);
  (void)signal(SIGHUP, SIG_IGN);  // whose default would end the running sessions
  // Who has connected before is served; closing a listener resets whoever still waits.
  if (!paused_) {
    for (const auto& listener : listeners_) OnAcceptable(*listener);
  }
  listeners_.clear();
  Finish();
}

void Server::Finish() {
  if (Sessions() != 0) return;
  if (!uv_is_closing(reinterpret_cast<uv_handle_t*>(&session_ended_))) {
    uv_close(reinterpret_cast<uv_handle_t*>(&session_ended_), nullptr);
  }
}

}  // namespace socksify
