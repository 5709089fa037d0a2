#include "tools/socksd-gss/listener.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "lib/config/text.h"
#include "tools/loop/stream.h"

namespace socksify {
namespace {

constexpr uint16_t kDefaultPort = 1080;  // RFC 1928 section 3
constexpr int kBacklog = 4096;           // the kernel cuts it to net.core.somaxconn

struct Place {
  std::string host, port;
};

Result<Place> ParsePlace(const std::string& where) {
  Place place = {where, std::to_string(kDefaultPort)};
  const bool brackets = where.starts_with('[');
  const size_t close = brackets ? where.find(']') : 0;
  const size_t colon = where.rfind(':');
  const bool bare_ipv6 = !brackets && std::ranges::count(where, ':') > 1;
  bool good = close != std::string::npos;
  if (good && colon != std::string::npos && !bare_ipv6 && (!brackets || colon > close)) {
    place = {where.substr(0, colon), where.substr(colon + 1)};
  }
  if (good && brackets) {
    good = place.host.ends_with(']') && place.host.size() > 2;
    place.host = place.host.substr(1, place.host.size() - 2);
  }
  good = good && !place.host.empty() && ParseNumber(place.port, 65535);
  if (good) return place;
  return {Errc::kConfig, "--listen: '" + where + "' is no ADDR:PORT"};
}

// An open listening socket, or -1 with errno.
int OpenSocket(const sockaddr* address, socklen_t length, int backlog) {
  const int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  const int on = 1;
  (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  // [::] is IPv6 alone, whatever the machine's default, so that 0.0.0.0 can be listed beside it.
  if (address->sa_family == AF_INET6)
    (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  if (bind(fd, address, length) == 0 && listen(fd, backlog) == 0) return fd;
  const int error = errno;
  (void)close(fd);
  errno = error;
  return -1;
}

Address BoundAddress(int fd) {
  sockaddr_storage address = {};
  socklen_t length = sizeof address;
  (void)getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
  return AddressOf(reinterpret_cast<sockaddr*>(&address));
}

}  // namespace

Status Listener::Open(const std::string& where, std::vector<std::unique_ptr<Listener>>* listeners) {
  auto place = ParsePlace(where);
  if (!place.ok()) return place.status();
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (int error = getaddrinfo(place->host.c_str(), place->port.c_str(), &hints, &found);
      error != 0) {
    return {Errc::kConfig, "--listen: '" + where + "': " + gai_strerror(error)};
  }
  Status status;
  for (const addrinfo* each = found; each != nullptr && status.ok(); each = each->ai_next) {
    const int fd = OpenSocket(each->ai_addr, each->ai_addrlen, kBacklog);
    if (fd < 0) {
      status = {Errc::kNetwork, "cannot listen on " + where + ": " + strerror(errno)};
    } else {
      listeners->push_back(std::unique_ptr<Listener>(new Listener(fd, BoundAddress(fd))));
    }
  }
  freeaddrinfo(found);
  return status;
}

std::unique_ptr<Listener> Listener::At(const sockaddr_storage& address, int backlog) {
  const int fd = OpenSocket(reinterpret_cast<const sockaddr*>(&address), sizeof address, backlog);
  if (fd < 0) return nullptr;
  return std::unique_ptr<Listener>(new Listener(fd, BoundAddress(fd)));
}

Listener::~Listener() {
  if (poll_ != nullptr) {
    uv_close(reinterpret_cast<uv_handle_t*>(poll_),
             [](uv_handle_t* handle) { delete reinterpret_cast<uv_poll_t*>(handle); });
  }
  (void)close(fd_);
}

void Listener::Start(uv_loop_t* loop, Function function, void* argument) {
  function_ = function;
  argument_ = argument;
  if (poll_ == nullptr) {
    poll_ = new uv_poll_t;
    (void)uv_poll_init(loop, poll_, fd_);
    poll_->data = this;
  }
  (void)uv_poll_start(poll_, UV_READABLE, [](uv_poll_t* poll, int, int) {
    auto* self = static_cast<Listener*>(poll->data);
    self->function_(*self, self->argument_);
  });
}

void Listener::Stop() {
  if (poll_ != nullptr) (void)uv_poll_stop(poll_);
}

int Listener::Accept(sockaddr_storage* from) const {
  socklen_t length = sizeof *from;
  const int fd = accept4(fd_, reinterpret_cast<sockaddr*>(from),
                         from != nullptr ? &length : nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  return fd >= 0 ? fd : -errno;
}

}  // namespace socksify
