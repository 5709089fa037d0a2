#include "tools/socksd-gss/lookup.h"

#include <netdb.h>
#include <sys/socket.h>

#include "tools/loop/stream.h"
#include "tools/socksd-gss/rules.h"

namespace socksify {
namespace {

constexpr size_t kMostAddresses = 16;  // a name must not make us knock on hundreds of doors

std::vector<Address> AddressesOf(const addrinfo* found, uint16_t port) {
  std::vector<Address> addresses;
  for (; found != nullptr && addresses.size() < kMostAddresses; found = found->ai_next) {
    Address address = AddressOf(found->ai_addr);
    address.port = port;
    addresses.push_back(Effective(address));
  }
  return addresses;
}

}  // namespace

struct Lookup::Pending {
  uv_getaddrinfo_t request;
  Lookup* lookup;  // null once it is not interested any more
  uint16_t port;
};

Lookup::~Lookup() {
  if (pending_ == nullptr) return;
  pending_->lookup = nullptr;
  (void)uv_cancel(reinterpret_cast<uv_req_t*>(&pending_->request));
}

bool Lookup::Start(uv_loop_t* loop, const Address& name, int socket_type) {
  pending_ = new Pending{{}, this, name.port};
  pending_->request.data = pending_;
  addrinfo hints = {};
  hints.ai_socktype = socket_type;
  auto report = [](uv_getaddrinfo_t* request, int status, addrinfo* found) {
    auto* pending = static_cast<Pending*>(request->data);
    Lookup* lookup = pending->lookup;
    std::vector<Address> addresses;
    if (status == 0) addresses = AddressesOf(found, pending->port);
    uv_freeaddrinfo(found);
    delete pending;
    if (lookup == nullptr) return;
    lookup->pending_ = nullptr;
    lookup->owner_->OnResolved(std::move(addresses));
  };
  const int error =
      uv_getaddrinfo(loop, &pending_->request, report, name.name.c_str(), nullptr, &hints);
  if (error != 0) delete std::exchange(pending_, nullptr);
  return error == 0;
}

}  // namespace socksify
