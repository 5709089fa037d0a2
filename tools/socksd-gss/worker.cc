#include "tools/socksd-gss/worker.h"

#include <unistd.h>

#include <string>
#include <utility>

namespace socksify {

Status Worker::Start() {
  int error = uv_loop_init(&loop_);
  if (error == 0) {
    loop_.data = &buffers_;
    error = uv_async_init(&loop_, &wake_,
                          [](uv_async_t* wake) { static_cast<Worker*>(wake->data)->OnWake(); });
    wake_.data = this;
  }
  if (error == 0) {
    error = uv_thread_create(
        &thread_, [](void* self) { static_cast<Worker*>(self)->Run(); }, this);
  }
  if (error == 0) return {};
  return {Errc::kNetwork, std::string("cannot start a thread: ") + uv_strerror(error)};
}

void Worker::Run() {
  uv_run(&loop_, UV_RUN_DEFAULT);  // until OnWake closes the last handle
  (void)uv_loop_close(&loop_);
}

void Worker::Give(int fd, std::shared_ptr<const ServerRules> rules) {
  sessions_.fetch_add(1, std::memory_order_relaxed);
  {
    std::lock_guard lock(mutex_);
    given_.push_back({fd, std::move(rules)});
  }
  (void)uv_async_send(&wake_);
}

void Worker::Join() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  (void)uv_async_send(&wake_);
  (void)uv_thread_join(&thread_);
}

void Worker::OnWake() {
  std::vector<Given> given;
  bool stopping;
  {
    std::lock_guard lock(mutex_);
    given.swap(given_);
    stopping = stopping_;
  }
  for (Given& each : given) Begin(std::move(each));
  if (stopping) uv_close(reinterpret_cast<uv_handle_t*>(&wake_), nullptr);
}

void Worker::Begin(Given given) {
  StreamPtr client = Stream::New(&loop_);
  if (client == nullptr || uv_tcp_open(client->handle(), given.fd) != 0) {
    (void)close(given.fd);
    return EndSession(nullptr);
  }
  auto* session = new Session(&loop_, this, std::move(given.rules), std::move(client));
  session->Start();  // it ends itself
}

void Worker::EndSession(Session* session) {
  delete session;
  sessions_.fetch_sub(1, std::memory_order_relaxed);
  (void)uv_async_send(ended_);
}

}  // namespace socksify
