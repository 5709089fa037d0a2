#include "tools/socksd-gss/connector.h"

#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "lib/base/log.h"
#include "lib/config/text.h"

namespace socksify {
namespace {

constexpr uint64_t kStaggerMs = 250;  // RFC 8305 section 5

}  // namespace

struct Connector::Attempt {
  uv_connect_t request;
  Connector* connector;  // null once it is not interested any more
  StreamPtr stream;
};

Connector::Connector(uv_loop_t* loop, ConnectorOwner* owner, const TargetRules& rules)
    : loop_(loop),
      owner_(owner),
      rules_(rules),
      lookup_(this),
      deadline_(
          loop,
          [](void* self) { static_cast<Connector*>(self)->Finish(Reply::kTtlExpired, nullptr); },
          this),
      stagger_(
          loop, [](void* self) { static_cast<Connector*>(self)->TryNext(); }, this) {}

Connector::~Connector() {
  for (Attempt* attempt : running_) {
    attempt->connector = nullptr;
    attempt->stream = nullptr;  // its callback comes with UV_ECANCELED and deletes the attempt
  }
}

void Connector::Start(const Address& target, unsigned seconds) {
  target_ = target;
  deadline_.Start(uint64_t{seconds} * 1000);
  if (target_.type == AddressType::kName) {
    // A name that is an address in text is judged as what it is.
    auto ip = ParseIp(target_.name);
    if (!ip) {
      if (rules_.MayResolve(target_)) return Resolve();
      return stagger_.Start(0);
    }
    ip->port = target_.port;
    target_ = *ip;
  }
  target_ = Effective(target_);
  AddCandidate(target_);
  stagger_.Start(0);  // reports come from the loop
}

void Connector::Resolve() {
  if (lookup_.Start(loop_, target_, SOCK_STREAM)) return;
  failure_ = Reply::kHostUnreachable;
  stagger_.Start(0);
}

void Connector::OnResolved(std::vector<Address> found) {
  if (found.empty()) return Finish(Reply::kHostUnreachable, nullptr);
  for (Address& address : found) AddCandidate(std::move(address));
  TryNext();
}

void Connector::AddCandidate(Address address) {
  if (std::ranges::count(candidates_, address) != 0) return;
  if (rules_.Allows(target_, address)) candidates_.push_back(std::move(address));
}

void Connector::TryNext() {
  while (next_ < candidates_.size()) {
    const sockaddr_storage address = SocketAddress(candidates_[next_++]);
    auto* attempt = new Attempt{{}, this, Stream::New(loop_)};
    attempt->request.data = attempt;
    int error = UV_ENOMEM;
    if (attempt->stream != nullptr) {
      error = uv_tcp_connect(&attempt->request, attempt->stream->handle(),
                             reinterpret_cast<const sockaddr*>(&address),
                             [](uv_connect_t* request, int status) {
                               auto* self = static_cast<Attempt*>(request->data);
                               if (self->connector == nullptr) {
                                 delete self;
                               } else {
                                 self->connector->OnAttempt(self, status);
                               }
                             });
    }
    if (error == 0) {
      running_.push_back(attempt);
      if (next_ < candidates_.size()) stagger_.Start(kStaggerMs);
      return;
    }
    delete attempt;
    Note(ReplyForError(error));
  }
  if (running_.empty()) Finish(failure_, nullptr);
}

void Connector::OnAttempt(Attempt* attempt, int error) {
  std::erase(running_, attempt);
  StreamPtr stream = std::move(attempt->stream);
  delete attempt;
  if (error == 0) return Finish(Reply::kSucceeded, std::move(stream));
  Note(ReplyForError(error));
  TryNext();
}

// The last failure counts, except that an address family without a route says nothing about the
// host.
void Connector::Note(Reply failure) {
  const bool no_route =
      failure == Reply::kNetworkUnreachable || failure == Reply::kAddressTypeNotSupported;
  if (!failed_once_ || !no_route) failure_ = failure;
  failed_once_ = true;
}

void Connector::Finish(Reply reply, StreamPtr target) {
  deadline_.Stop();
  stagger_.Stop();
  owner_->OnConnected(reply, std::move(target));  // may destroy this
}

Reply ReplyForError(int error) {
  switch (error) {
    case UV_ECONNREFUSED:
    case UV_ECONNRESET:
      return Reply::kConnectionRefused;
    case UV_ENETUNREACH:
    case UV_ENETDOWN:
      return Reply::kNetworkUnreachable;
    case UV_EHOSTUNREACH:
    case UV_EHOSTDOWN:
      return Reply::kHostUnreachable;
    case UV_ETIMEDOUT:
      return Reply::kTtlExpired;  // what a client reports as ETIMEDOUT
    case UV_EACCES:
    case UV_EPERM:
      return Reply::kNotAllowed;
    case UV_EAFNOSUPPORT:
      return Reply::kAddressTypeNotSupported;
    default:
      Log::Info(std::string("cannot make a connection: ") + uv_strerror(error));
      return Reply::kGeneralFailure;
  }
}

}  // namespace socksify
