#include "shim/dns_stub.h"

#include <netinet/in.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <vector>

#include "lib/wire/dns.h"
#include "shim/dns_answers.h"
#include "shim/guard.h"
#include "shim/mutex.h"
#include "shim/own_descriptor.h"
#include "shim/process.h"
#include "shim/real_calls.h"
#include "shim/service.h"
#include "shim/socket_facts.h"
#include "shim/thread.h"

namespace socksify {
namespace {

constexpr size_t kMaxStandIns = 512;
constexpr unsigned kMaxWorkers = 64;  // threads that wait for the local resolver, or serve a stream
constexpr size_t kMaxWaiting =
    256;  // datagrams for them; what comes beyond is lost, as on a network
constexpr size_t kMaxDatagram = 4096;  // of a query; a longer one is cut, which is a format error
constexpr int kBacklog = 64;
constexpr timeval kStreamPatience = {30, 0};

// Written once, but for `fd`.
struct StandIn {
  SocketAddress server;  // as the program named it; a v4-mapped one as IPv4
  int type;
  SocketAddress own;    // on loopback
  std::atomic<int> fd;  // -1: dead, kept for the sockets that were connected to it
};
std::atomic<StandIn*> g_stand_ins[kMaxStandIns];

// A query that may have to wait for the local resolver.
struct Waiting {
  const StandIn* stand_in;
  SocketAddress client;
  DnsQuery query;
};

struct State {
  bool serving = false;  // the thread runs
  int wake_event = -1;
  std::deque<Waiting> waiting;
  unsigned workers = 0;
};

Mutex g_mutex;  // guards the state and the making of stand-ins

State& GetState() {
  static State* state = new State();
  return *state;
}

SocketAddress Plain(const sockaddr* address, socklen_t length) {
  const auto named = AddressFromSockaddr(address, length);
  if (named && named->type == AddressType::kIpv4) return *SockaddrFromAddress(*named, AF_INET);
  SocketAddress plain;  // with its scope
  plain.length = std::min<socklen_t>(length, sizeof(sockaddr_in6));
  memcpy(&plain.storage, address, plain.length);
  return plain;
}

bool Same(const SocketAddress& one, const SocketAddress& other) {
  return one.length == other.length && memcmp(&one.storage, &other.storage, one.length) == 0;
}

SocketAddress Loopback(int family) {
  std::array<uint8_t, 16> ipv6 = {};
  ipv6[15] = 1;
  return *SockaddrFromAddress(
      family == AF_INET6 ? Address::Ipv6(ipv6, 0) : Address::Ipv4({127, 0, 0, 1}, 0), family);
}

// The first that `fits`. Any thread; no lock.
template <typename Predicate>
StandIn* Find(Predicate fits) {
  for (const auto& entry : g_stand_ins) {
    StandIn* stand_in = entry.load(std::memory_order_acquire);
    if (stand_in == nullptr || fits(*stand_in)) return stand_in;
  }
  return nullptr;
}

// --- answering -----------------------------------------------------------------------------------

size_t DatagramLimit(const DnsQuery& query) {
  return query.has_edns ? query.payload_size : size_t{512};
}

void SendAnswer(const StandIn& stand_in, const SocketAddress& client, const Bytes& answer) {
  (void)real::sendto(stand_in.fd.load(), answer.data(), answer.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                     client.get(), client.length);
}

void* AnswerWaiting(void*) {
  const Guard guard;
  for (;;) {
    Waiting next;
    {
      MutexLock lock(g_mutex);
      State& state = GetState();
      if (state.waiting.empty()) {
        --state.workers;
        return nullptr;
      }
      next = std::move(state.waiting.front());
      state.waiting.pop_front();
    }
    const auto answer = AnswerDns(next.query, DatagramLimit(next.query), true);
    SendAnswer(*next.stand_in, next.client, *answer);
  }
}

// Room for one more worker? It counts from now on.
bool TakeWorker() {
  MutexLock lock(g_mutex);
  if (GetState().workers == kMaxWorkers) return false;
  ++GetState().workers;
  return true;
}

void GiveWorkerBack() {
  MutexLock lock(g_mutex);
  --GetState().workers;
}

void LetWait(Waiting waiting) {
  {
    MutexLock lock(g_mutex);
    State& state = GetState();
    if (state.waiting.size() == kMaxWaiting) return;
    state.waiting.push_back(std::move(waiting));
  }
  if (TakeWorker() && !StartThread(&AnswerWaiting, nullptr)) GiveWorkerBack();
}

// One datagram. False when there is none.
bool ServeDatagram(const StandIn& stand_in) {
  uint8_t buffer[kMaxDatagram];
  SocketAddress client;
  client.length = sizeof client.storage;
  const ssize_t size = real::recvfrom(stand_in.fd.load(), buffer, sizeof buffer, MSG_DONTWAIT,
                                      reinterpret_cast<sockaddr*>(&client.storage), &client.length);
  if (size < 0) return errno == EINTR;
  auto query = ParseDnsQuery(ByteView(buffer, static_cast<size_t>(size)));
  if (!query) return true;
  if (const auto answer = AnswerDns(*query, DatagramLimit(*query), false)) {
    SendAnswer(stand_in, client, *answer);
  } else {
    LetWait({&stand_in, client, std::move(*query)});
  }
  return true;
}

bool ReadWhole(int fd, uint8_t* octets, size_t count) {
  while (count != 0) {
    const ssize_t got = real::recv(fd, octets, count, 0);
    if (got <= 0) return false;
    octets += got;
    count -= static_cast<size_t>(got);
  }
  return true;
}

// RFC 7766: each message behind its length; the connection stays for more.
void ServeQueries(int fd) {
  uint8_t length[2];
  Bytes message;
  while (ReadWhole(fd, length, sizeof length)) {
    message.resize(static_cast<size_t>(length[0]) << 8 | length[1]);
    if (!ReadWhole(fd, message.data(), message.size())) return;
    const auto query = ParseDnsQuery(message);
    if (!query) return;
    const auto answer = AnswerDns(*query, kMaxDnsMessageSize, true);
    Bytes framed;
    AppendU16(framed, static_cast<uint16_t>(answer->size()));
    Append(framed, *answer);
    size_t sent = 0;
    while (sent < framed.size()) {
      const ssize_t part = real::send(fd, framed.data() + sent, framed.size() - sent, MSG_NOSIGNAL);
      if (part <= 0) return;
      sent += static_cast<size_t>(part);
    }
  }
}

void* ServeStream(void* argument) {
  const Guard guard;
  const int fd = static_cast<int>(reinterpret_cast<intptr_t>(argument));
  ServeQueries(fd);
  OwnDescriptor::Close(fd);
  GiveWorkerBack();
  return nullptr;
}

void AcceptStream(const StandIn& stand_in) {
  const DescriptorHeadroom headroom;
  const int fd =
      OwnDescriptor::Adopt(real::accept4(stand_in.fd.load(), nullptr, nullptr, SOCK_CLOEXEC));
  if (fd < 0) return;
  (void)real::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &kStreamPatience, sizeof kStreamPatience);
  (void)real::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &kStreamPatience, sizeof kStreamPatience);
  if (TakeWorker()) {
    if (StartThread(&ServeStream, reinterpret_cast<void*>(intptr_t{fd}))) return;
    GiveWorkerBack();
  }
  OwnDescriptor::Close(fd);
}

void* Serve(void*) {
  const Guard guard;
  std::vector<pollfd> waits;
  std::vector<StandIn*> served;
  for (;;) {
    {
      MutexLock lock(g_mutex);
      waits.assign(1, {GetState().wake_event, POLLIN, 0});
    }
    served.clear();
    for (const auto& entry : g_stand_ins) {
      StandIn* stand_in = entry.load(std::memory_order_acquire);
      if (stand_in == nullptr) break;
      const int fd = stand_in->fd;
      if (fd < 0) continue;
      served.push_back(stand_in);
      waits.push_back({fd, POLLIN, 0});
    }
    (void)real::poll(waits.data(), waits.size(), -1);
    eventfd_t count;
    if (waits[0].revents != 0) (void)eventfd_read(waits[0].fd, &count);
    for (size_t i = 0; i < served.size(); ++i) {
      const short ready = waits[i + 1].revents;
      if ((ready & POLLNVAL) != 0) {
        served[i]->fd = -1;  // closed behind the shim's back
      } else if (ready != 0 && served[i]->type == SOCK_STREAM) {
        AcceptStream(*served[i]);
      } else if (ready != 0) {
        (void)ServeDatagram(*served[i]);
      }
    }
  }
}

// --- making --------------------------------------------------------------------------------------

// A socket at a free port of loopback. -1 with errno.
int OpenSocket(int type, int family, SocketAddress* own) {
  const int fd = OwnDescriptor::Adopt(real::socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd < 0) return -1;
  *own = Loopback(family);
  auto* address = reinterpret_cast<sockaddr*>(&own->storage);
  if (bind(fd, address, own->length) == 0 && getsockname(fd, address, &own->length) == 0 &&
      (type == SOCK_DGRAM || listen(fd, kBacklog) == 0)) {
    return fd;
  }
  const int error = errno;
  OwnDescriptor::Close(fd);
  errno = error;
  return -1;
}

StandIn* Make(int type, const SocketAddress& server) {
  const size_t index = [] {
    size_t free = 0;
    while (free < kMaxStandIns && g_stand_ins[free].load() != nullptr) ++free;
    return free;
  }();
  if (index == kMaxStandIns) return errno = ENETUNREACH, nullptr;
  SocketAddress own;
  int fd = OpenSocket(type, server.family(), &own);
  if (fd < 0 && server.family() == AF_INET6) fd = OpenSocket(type, AF_INET, &own);  // no ::1 here
  if (fd < 0) return nullptr;
  auto* stand_in = new StandIn{server, type, own, fd};
  g_stand_ins[index].store(stand_in, std::memory_order_release);
  return stand_in;
}

StandIn* FindAlive(int type, const SocketAddress& server) {
  return Find([&](const StandIn& stand_in) {
    return stand_in.type == type && stand_in.fd >= 0 && Same(stand_in.server, server);
  });
}

// The stand-in for the server that `fd` is connected to, also if it is the parent's: a connected
// socket takes answers from there alone.
StandIn* FindConnected(int fd, int type, const SocketAddress& server) {
  SocketAddress peer;
  peer.length = sizeof peer.storage;
  if (real::getpeername(fd, reinterpret_cast<sockaddr*>(&peer.storage), &peer.length) != 0) {
    return nullptr;
  }
  const auto address = AddressFromSockaddr(peer.get(), peer.length);
  return Find([&](const StandIn& stand_in) {
    return stand_in.type == type && Same(stand_in.server, server) &&
           AddressFromSockaddr(stand_in.own.get(), stand_in.own.length) == address;
  });
}

// The thread, and its event. Under the mutex.
bool WakeServer() {
  State& state = GetState();
  if (state.wake_event < 0) {
    state.wake_event = OwnDescriptor::Adopt(real::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  }
  if (state.wake_event < 0) return false;
  (void)eventfd_write(state.wake_event, 1);
  if (!state.serving) state.serving = StartThread(&Serve, nullptr);
  if (!state.serving) errno = EAGAIN;
  return state.serving;
}

}  // namespace

std::optional<SocketAddress> DnsStub::StandInFor(int fd, int type, const sockaddr* server,
                                                 socklen_t length) {
  const int family = server->sa_family;
  const SocketAddress plain = Plain(server, length);
  if (IsTiedToInterface(fd) || InVforkChild()) {
    errno = ENETUNREACH;
    return std::nullopt;
  }
  StandIn* stand_in = type == SOCK_DGRAM && InUse() ? FindConnected(fd, type, plain) : nullptr;
  if (stand_in == nullptr) stand_in = FindAlive(type, plain);
  if (stand_in == nullptr) {
    const Guard guard;
    const DescriptorHeadroom headroom;
    MutexLock lock(g_mutex);
    stand_in = FindAlive(type, plain);
    if (stand_in == nullptr) {
      stand_in = Make(type, plain);
      if (stand_in == nullptr) return std::nullopt;
      count_.fetch_add(1, std::memory_order_release);
      if (!WakeServer()) {
        const int error = errno;
        OwnDescriptor::Close(stand_in->fd.exchange(-1));
        errno = error;
        return std::nullopt;
      }
    }
  }
  const auto own = AddressFromSockaddr(stand_in->own.get(), stand_in->own.length);
  return SockaddrFromAddress(*own, family);
}

void DnsStub::RestoreSlow(int type, sockaddr* address, socklen_t room, socklen_t* length) {
  const auto from = AddressFromSockaddr(address, std::min(room, *length));
  if (!from) return;
  const StandIn* stand_in = Find([&](const StandIn& candidate) {
    return candidate.type == type &&
           AddressFromSockaddr(candidate.own.get(), candidate.own.length) == from;
  });
  if (stand_in == nullptr) return;
  SocketAddress server = stand_in->server;
  if (server.family() != address->sa_family) {
    server =
        *SockaddrFromAddress(*AddressFromSockaddr(server.get(), server.length), address->sa_family);
  }
  memcpy(address, server.get(), std::min(room, server.length));
  *length = server.length;
}

void DnsStub::BeforeFork() { g_mutex.Lock(); }

void DnsStub::AfterFork(bool in_child) {
  if (!in_child) {
    g_mutex.Unlock();
    return;
  }
  g_mutex.Reinitialise();
  State* parents = &GetState();
  new (parents) State();  // its threads and descriptors are the parent's
  for (auto& entry : g_stand_ins) {
    StandIn* stand_in = entry.load(std::memory_order_relaxed);
    if (stand_in == nullptr) break;
    stand_in->fd = -1;
  }
}

}  // namespace socksify
