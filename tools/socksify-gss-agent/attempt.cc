#include "tools/socksify-gss-agent/attempt.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "lib/io/socket_address.h"
#include "tools/socksify-gss-agent/descriptors.h"

namespace socksify {
namespace {

// A session may be silent for hours. Its server's end, or that of the way there, is to be noticed,
// and whatever keeps state on the way is to keep this.
void KeepAlive(int fd) {
  const int on = 1, idle = 60, interval = 10, count = 6;
  (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
  (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
  (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
  (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

Address NameOf(int (*call)(int, sockaddr*, socklen_t*), int fd) {
  sockaddr_storage name = {};
  socklen_t size = sizeof name;
  (void)call(fd, reinterpret_cast<sockaddr*>(&name), &size);
  return AddressFromSockaddr(reinterpret_cast<sockaddr*>(&name), size).value_or(Address());
}

}  // namespace

struct Attempt::Preparation {
  uv_work_t request;
  Attempt* attempt;  // null once it has gone
  std::unique_ptr<ClientEngine> engine;
  ServerEndpoint server;
  Status prepared;
  std::optional<Result<std::vector<Address>>> addresses;
};

Attempt::Attempt(uv_loop_t* loop, AttemptOwner* owner, const Config& config, Request request)
    : loop_(loop),
      owner_(owner),
      config_(config),
      request_(std::move(request)),
      watch_(
          loop, [](void* self) { static_cast<Attempt*>(self)->OnReady(); }, this),
      deadline_(
          loop,
          [](void* self) {
            auto* attempt = static_cast<Attempt*>(self);
            attempt->End({Errc::kTimeout, "no answer within " +
                                              std::to_string(attempt->config_.timeout_seconds) +
                                              " seconds; see --timeout"});
          },
          this) {}

Attempt::~Attempt() {
  if (preparation_ != nullptr) preparation_->attempt = nullptr;
}

void Attempt::Start() {
  deadline_.Start(uint64_t{config_.timeout_seconds} * 1000);
  Prepare();
}

void Attempt::Prepare() {
  preparation_ =
      new Preparation{{}, this, ClientEngine::New(config_, server(), request_), server(), {}, {}};
  preparation_->request.data = preparation_;
  (void)uv_queue_work(
      loop_, &preparation_->request,
      [](uv_work_t* request) {
        auto* self = static_cast<Preparation*>(request->data);
        self->prepared = EnoughDescriptors();
        if (self->prepared.ok()) self->prepared = self->engine->Prepare();
        if (self->prepared.ok()) self->addresses = ResolveServer(self->server);
        const bool failed = !self->prepared.ok() || !self->addresses->ok();
        if (failed && !EnoughDescriptors().ok()) self->prepared = OutOfDescriptors();
      },
      [](uv_work_t* request, int) {
        const std::unique_ptr<Preparation> self(static_cast<Preparation*>(request->data));
        if (self->attempt != nullptr) self->attempt->OnPrepared();
      });
}

void Attempt::OnPrepared() {
  Preparation& done = *std::exchange(preparation_, nullptr);
  if (!done.prepared.ok()) return End(done.prepared);
  engine_ = std::move(done.engine);
  if (!done.addresses->ok()) {
    unreachable_ = done.addresses->status();
    return NextServer();
  }
  addresses_ = std::move(**done.addresses);
  Connect();
}

void Attempt::NextServer() {
  if (server_ + 1 == config_.servers.size()) return End(unreachable_);
  server_++;
  Prepare();
}

void Attempt::Connect() {
  while (!addresses_.empty()) {
    const Address address = addresses_.front();
    addresses_.erase(addresses_.begin());
    const int family = address.type == AddressType::kIpv4 ? AF_INET : AF_INET6;
    socket_ = UniqueFd(socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const auto to = SockaddrFromAddress(address, family);
    if (socket_.get() == -1 && IsOutOfDescriptors(errno)) return End(OutOfDescriptors());
    if (socket_.get() == -1 || !to) {
      NoteUnreachable(errno);
      continue;
    }
    KeepAlive(socket_.get());
    if (connect(socket_.get(), to->get(), to->length) == 0 || errno == EINPROGRESS) {
      if (watch_.Start(socket_.get(), UV_WRITABLE)) return;
      watch_.Stop();
    }
    NoteUnreachable(errno);
  }
  NextServer();
}

void Attempt::NoteUnreachable(int error) {
  unreachable_ = {Errc::kNetwork, std::string("the server cannot be reached: ") + strerror(error)};
}

void Attempt::OnReady() {
  if (handshake_) return Negotiate();
  OnConnected();
}

void Attempt::OnConnected() {
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  if (error != 0) {
    watch_.Stop();
    NoteUnreachable(error);
    return Connect();
  }
  handshake_.emplace(kLibcSocketCalls, socket_.get(), *engine_);
  Negotiate();
}

void Attempt::Negotiate() {
  const HandshakeStep step = handshake_->Step();
  if (engine_->listening() && !std::exchange(told_listening_, true)) {
    deadline_.Stop();
    owner_->OnListening();
  }
  if (step == HandshakeStep::kEnded) {
    return End(handshake_->established() ? Status() : handshake_->error());
  }
  (void)watch_.Start(socket_.get(), step == HandshakeStep::kWantRead ? UV_READABLE : UV_WRITABLE);
}

void Attempt::End(Status error) {
  const Status why = std::move(error);  // not the attempt's, which may be gone when it is read
  watch_.Stop();
  deadline_.Stop();
  if (preparation_ != nullptr) std::exchange(preparation_, nullptr)->attempt = nullptr;
  owner_->OnAttemptEnd(why);
}

Address Attempt::ServerAddress() const { return NameOf(&getpeername, socket_.get()); }
Address Attempt::LocalAddress() const { return NameOf(&getsockname, socket_.get()); }

Address Attempt::Bound() const {
  Address bound = engine_->bound();
  if (!bound.IsUnspecified()) return bound;
  const uint16_t port = bound.port;  // RFC 1928 section 6: it is where the server is
  bound = ServerAddress();
  bound.port = port;
  return bound;
}

UniqueFd Attempt::TakeSocket() {
  uint8_t spent;
  if (handshake_->unread() != 0) (void)recv(socket_.get(), &spent, 1, MSG_DONTWAIT);
  handshake_.reset();
  return std::move(socket_);
}

}  // namespace socksify
