#include "shim/datagrams.h"

#include <alloca.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/udp.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "shim/associations.h"
#include "shim/clock.h"
#include "shim/control_data.h"
#include "shim/dns_stub.h"
#include "shim/guard.h"
#include "shim/octets.h"
#include "shim/real_calls.h"
#include "shim/report.h"
#include "shim/route.h"
#include "shim/runtime.h"
#include "shim/socket_facts.h"
#include "shim/stand_in_names.h"
#include "shim/user_memory.h"

namespace socksify {
namespace {

using Kind = DatagramTarget::Kind;

DatagramTarget Refuse(int error) {
  errno = error;
  return {Kind::kRefused};
}

// What goes neither directly nor, as it is, through the server.
DatagramTarget RefuseKind(const char* what, LogLevel level) {
  ReportOnce(std::string(what) + " cannot go through the server; they are refused, see --udp",
             level);
  return Refuse(EACCES);
}

// The kernel cuts it into datagrams of that size.
bool IsSegmented(int fd) {
  int size = 0;
  socklen_t length = sizeof size;
  return real::getsockopt(fd, SOL_UDP, UDP_SEGMENT, &size, &length) == 0 && size != 0;
}

DatagramTarget ThroughServer(int fd, int family, const sockaddr* address, socklen_t length,
                             size_t size, int flags, LogLevel level, const Address& named) {
  const Route route = RouteTo(address, length);
  // As the kernel has it. Who sends to 0.0.0.0 or :: has this host as its peer.
  const auto as_named =
      SockaddrFromAddress(named.IsUnspecified() ? route.destination : named, family);
  if (!as_named) return Refuse(EAFNOSUPPORT);
  const auto association = Associations::For(fd);
  if (association == nullptr) return Refuse(EMFILE);
  const auto stand_in =
      association->Reach(fd, {*as_named, route.destination}, IsBlocking(fd, flags), level);
  if (!stand_in) return {Kind::kRefused};
  if (!association->Fits(fd, named, size) && !IsSegmented(fd)) return Refuse(EMSGSIZE);
  return {Kind::kStandIn, *stand_in, true};
}

// The same for a peer that has been asked for a moment ago; kAsNamed when it has not.
DatagramTarget ThroughServerAsBefore(int fd, size_t size, const Address& named) {
  const auto association = Associations::Find(fd);
  const auto stand_in = association != nullptr ? association->Known(named) : std::nullopt;
  if (!stand_in) return {};
  if (!association->Fits(fd, named, size) && !IsSegmented(fd)) return Refuse(EMSGSIZE);
  return {Kind::kStandIn, *stand_in, true};
}

// May so much go to what the socket is connected to? Waits for the association where the socket and
// `flags` say so. False with errno.
bool MaySend(int fd, size_t size, int flags) {
  const auto association = Associations::Find(fd);
  if (association == nullptr || !association->open() || Guard::active()) return true;
  if (association->settled() && size <= Association::kAlwaysFits) return true;
  SocketAddress stand_in;
  if (!PeerName(fd, &stand_in)) return true;
  const auto peer = association->PeerAt(fd, stand_in);
  const auto named = peer ? AddressFromSockaddr(peer->get(), peer->length) : std::nullopt;
  if (!named) return true;
  if (!association->settled() &&
      !association->Reconnect(fd, stand_in, IsBlocking(fd, flags), LogLevel::kWarn)) {
    return false;
  }
  if (association->Fits(fd, *named, size) || IsSegmented(fd)) return true;
  errno = EMSGSIZE;
  return false;
}

// A call on the socket has failed. True when it is to be made again; else errno is the program's.
bool IsToBeRepeated(int fd, int flags) {
  if (errno != ECONNREFUSED || (flags & MSG_ERRQUEUE) != 0 || Guard::active()) return false;
  const auto association = Associations::Find(fd);
  if (association == nullptr || !association->open()) return false;
  const int error = association->Refused(fd);
  errno = error;
  return error == 0;
}

// Sends on a connected socket, or what is for a stand-in.
template <typename Send>
ssize_t SendOrRepeat(int fd, Send send) {
  const int saved_errno = errno;
  ssize_t sent = send();
  if (sent >= 0 || !Associations::Has(fd) || !IsToBeRepeated(fd, 0)) return sent;
  errno = saved_errno;
  return send();
}

// Where a datagram on a socket with an association has come from: a stand-in's peer, or as the
// kernel says. nullopt: it is as if it had never come.
std::optional<SocketAddress> Sender(int fd, const SocketAddress& source) {
  const auto association = Associations::Find(fd);
  SocketAddress server = source;
  DnsStub::Restore(SOCK_DGRAM, reinterpret_cast<sockaddr*>(&server.storage), sizeof server.storage,
                   &server.length);
  if (memcmp(&server.storage, &source.storage, sizeof server.storage) != 0) return server;
  if (association == nullptr || source.length == 0) return source;
  if (!association->open()) return DatagramPeerAt(fd, source).value_or(source);
  if (auto peer = association->PeerAt(fd, source)) return peer;
  if (RouteTo(source.get(), source.length).kind == Route::Kind::kDirect) return source;
  return std::nullopt;
}

// Is it connected to a stand-in of the agent's?
bool IsThroughServer(int fd) {
  const auto association = Associations::Find(fd);
  SocketAddress peer;
  return association != nullptr && association->open() && PeerName(fd, &peer) &&
         association->PeerAt(fd, peer).has_value();
}

// recvmsg(2) on a socket with an association, with a name in `source` of the caller's own.
ssize_t ReceiveFromPeer(int fd, msghdr& message, int flags, SocketAddress& source) {
  const size_t control_room = message.msg_controllen;
  for (;;) {
    message.msg_name = &source.storage;
    message.msg_namelen = sizeof source.storage;
    message.msg_controllen = control_room;
    const ssize_t received = real::recvmsg(fd, &message, flags);  // nothing is held here
    if (received < 0) {
      if (IsToBeRepeated(fd, flags)) continue;
      return received;
    }
    source.length = message.msg_namelen;
    const int saved_errno = errno;
    const auto sender = Sender(fd, source);
    errno = saved_errno;
    if (sender) return source = *sender, received;
    if ((flags & MSG_ERRQUEUE) != 0) return received;
    if ((flags & MSG_PEEK) != 0) (void)real::recv(fd, nullptr, 0, MSG_DONTWAIT);
  }
}

// Might the socket have an association in another process, from which it has come or which has it
// from this one?
bool MayBeAnothers(int fd) {
  const DescriptorTable::Mark mark = DescriptorTable::Get(fd);
  return (mark == DescriptorTable::Mark::kNone || mark == DescriptorTable::Mark::kDatagramSocket) &&
         !Guard::active();
}

// Who has sent what has come on a socket without an association. `room` is what there was for the
// address.
void RestoreSender(int fd, sockaddr* address, socklen_t room, socklen_t* length) {
  DnsStub::Restore(SOCK_DGRAM, address, room, length);
  if (!MayBeAnothers(fd) || room < sizeof address->sa_family) return;
  if (address->sa_family != AF_INET && address->sa_family != AF_INET6) return;
  const int saved_errno = errno;
  SocketAddress source;
  source.length = std::min(*length, room);
  memcpy(&source.storage, address, source.length);
  if (const auto peer = DatagramPeerAt(fd, source)) {
    memcpy(address, peer->get(), std::min(room, peer->length));
    *length = peer->length;
  }
  errno = saved_errno;
}

// recvmmsg(2), one after the other: what is not the program's leaves no gap.
int ReceiveOneByOne(int fd, mmsghdr* messages, unsigned count, int flags, timespec* timeout) {
  if (timeout != nullptr) {
    if (!IsWritable(timeout, sizeof *timeout)) return errno = EFAULT, -1;
    if (timeout->tv_sec < 0 || timeout->tv_nsec < 0 || timeout->tv_nsec >= 1'000'000'000) {
      return errno = EINVAL, -1;
    }
  }
  Remaining remaining(timeout);
  int done = 0;
  while (done < static_cast<int>(count)) {
    const ssize_t received = ReceiveDatagram(fd, &messages[done].msg_hdr, flags & ~MSG_WAITFORONE);
    if (received < 0) break;
    messages[done++].msg_len = static_cast<unsigned>(received);
    if ((flags & MSG_WAITFORONE) != 0) flags |= MSG_DONTWAIT;
    if (remaining.IsOver()) break;
  }
  return done != 0 || count == 0 ? done : -1;
}

}  // namespace

bool AsksNameServer(int fd, int type, const sockaddr* address, socklen_t length) {
  if (!IsNameServer(address, length)) return false;
  const int protocol = SocketOption(fd, SO_PROTOCOL);
  return type == SOCK_STREAM ? protocol != IPPROTO_SCTP : protocol == IPPROTO_UDP;
}

DatagramTarget DatagramTargetFor(int fd, const sockaddr* address, socklen_t length, size_t size,
                                 int flags, LogLevel level) {
  if (Guard::active() || address == nullptr || length < sizeof address->sa_family) return {};
  if (length > sizeof(sockaddr_storage) || !IsReadable(address, length)) {
    return {};  // the kernel's to refuse
  }
  sockaddr_storage storage = {};
  memcpy(&storage, address, length);
  const auto* named = reinterpret_cast<const sockaddr*>(&storage);
  // Where an IPv4 socket is given no family, the kernel reads the address as IPv4.
  if (storage.ss_family == AF_UNSPEC && SocketOption(fd, SO_DOMAIN) == AF_INET)
    storage.ss_family = AF_INET;
  if (storage.ss_family != AF_INET && storage.ss_family != AF_INET6) return {};
  const auto destination = AddressFromSockaddr(named, length);
  if (!destination) return {};
  if (Associations::Has(fd)) {
    const DatagramTarget target = ThroughServerAsBefore(fd, size, *destination);
    if (target.kind != Kind::kAsNamed) return target;
  }
  const int type = SocketOption(fd, SO_TYPE);
  if (type < 0) return {};
  // TCP does not look at the address; SCTP connects to it.
  const int protocol = SocketOption(fd, SO_PROTOCOL);
  if (type == SOCK_STREAM && protocol != IPPROTO_SCTP) return {};
  if (AsksNameServer(fd, type, named, length)) {
    const auto stand_in = DnsStub::StandInFor(fd, type, named, length);
    return stand_in ? DatagramTarget{Kind::kStandIn, *stand_in} : DatagramTarget{Kind::kRefused};
  }
  const Route route = RouteTo(named, length);
  if (route.kind == Route::Kind::kDirect) return {};
  if (route.kind == Route::Kind::kRefuse) return Refuse(route.error);
  const Config* config = Runtime::GetConfig();
  if (config->udp == UdpMode::kBlock) return Refuse(EACCES);
  if (config->udp == UdpMode::kDirect) {
    return route.destination.type == AddressType::kName ? Refuse(EACCES) : DatagramTarget{};
  }
  const int family = SocketOption(fd, SO_DOMAIN);
  if (protocol != IPPROTO_UDP || type != SOCK_DGRAM) {
    return RefuseKind("datagrams of other protocols than UDP", level);
  }
  if (IsToMany(named)) {
    // The kernel has programs say that they mean to.
    const bool meant = !IsBroadcast(named) || SocketOption(fd, SO_BROADCAST) > 0;
    return RefuseKind("datagrams to a group or to all", meant ? level : LogLevel::kDebug);
  }
  if (family == AF_INET && storage.ss_family != AF_INET) return Refuse(EAFNOSUPPORT);
  // The kernel reads an IPv4 address on an IPv6 socket as a v4-mapped one.
  if (family == AF_INET6 && destination->type == AddressType::kIpv4 && IsV6Only(fd)) {
    return Refuse(ENETUNREACH);
  }
  if (IsOnNoLink(fd, named)) return Refuse(EINVAL);
  if (destination->port == 0) return Refuse(EINVAL);
  if (IsTiedToInterface(fd)) return Refuse(ENETUNREACH);
  return ThroughServer(fd, family, named, length, size, flags, level, *destination);
}

size_t SizeOfMessage(const msghdr& message) {
  if (!IsAllReadable(message.msg_iov, message.msg_iovlen * sizeof(iovec))) return 0;
  size_t size = 0;
  for (size_t i = 0; i < message.msg_iovlen; ++i) size += message.msg_iov[i].iov_len;
  if (size > Association::kAlwaysFits && AnyControl(message, &Segments)) return 0;
  return size;
}

int ConnectDatagrams(int fd, const sockaddr* address, socklen_t length) {
  // Resolvers connect to sort addresses, and send nothing: no reason to tell the user, nor to wait.
  const DatagramTarget target =
      DatagramTargetFor(fd, address, length, 0, MSG_DONTWAIT, LogLevel::kInfo);
  if (target.kind == Kind::kRefused) return -1;
  if (target.kind == Kind::kAsNamed) return real::connect(fd, address, length);
  const auto association = target.through_server ? Associations::Find(fd) : nullptr;
  if (association != nullptr) return association->Connect(fd, target.stand_in);
  return real::connect(fd, target.stand_in.get(), target.stand_in.length);
}

ssize_t SendDatagram(int fd, const void* octets, size_t count, int flags, const sockaddr* address,
                     socklen_t length) {
  const DatagramTarget target = DatagramTargetFor(fd, address, length, count, flags);
  if (target.kind == Kind::kRefused) return -1;
  if (target.kind == Kind::kStandIn) {
    address = target.stand_in.get();
    length = target.stand_in.length;
  } else if (address == nullptr && Associations::Has(fd) && !MaySend(fd, count, flags)) {
    return -1;
  }
  return SendOrRepeat(fd, [&] { return real::sendto(fd, octets, count, flags, address, length); });
}

ssize_t SendMessageTo(const DatagramTarget& target, int fd, const msghdr* message, int flags) {
  if (target.kind == Kind::kRefused) return -1;
  const bool associated = Associations::Has(fd);
  if (target.kind == Kind::kAsNamed && (!associated || !IsReadable(message, sizeof *message))) {
    return real::sendmsg(fd, message, flags);
  }
  msghdr changed = *message;
  if (target.kind == Kind::kStandIn) {
    changed.msg_name = const_cast<sockaddr*>(target.stand_in.get());
    changed.msg_namelen = target.stand_in.length;
  } else if (changed.msg_name == nullptr && !MaySend(fd, SizeOfMessage(changed), flags)) {
    return -1;
  }
  constexpr size_t kMostControl = 64 * 1024;  // no system takes more
  const bool stripped =
      changed.msg_controllen <= kMostControl && AnyControl(changed, &ChoosesSource) &&
      (target.kind == Kind::kStandIn || (changed.msg_name == nullptr && IsThroughServer(fd)));
  if (stripped) {  // on the stack: the thread may be cancelled
    changed.msg_control = alloca(changed.msg_controllen);
    changed.msg_controllen = 0;
    ForEachControl(*message, [&](const cmsghdr& head, const char* octets, size_t size) {
      if (ChoosesSource(head)) return;
      memcpy(static_cast<char*>(changed.msg_control) + changed.msg_controllen, octets, size);
      changed.msg_controllen += size;
    });
  }
  return SendOrRepeat(fd, [&] { return real::sendmsg(fd, &changed, flags); });
}

ssize_t ReceiveDatagram(int fd, void* buffer, size_t count, int flags, sockaddr* address,
                        socklen_t* length) {
  if (Associations::Has(fd) && !Guard::active()) {
    iovec vector = Vector(buffer, count);
    msghdr message = {};
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    SocketAddress source;
    const ssize_t received = ReceiveFromPeer(fd, message, flags, source);
    if (received < 0 || address == nullptr) return received;
    if (!IsWritable(length, sizeof *length)) return errno = EFAULT, -1;
    if (static_cast<int>(*length) < 0) return errno = EINVAL, -1;
    const size_t room = std::min(*length, source.length);
    if (!IsWritable(address, room)) return errno = EFAULT, -1;
    memcpy(address, source.get(), room);
    *length = source.length;
    return received;
  }
  const bool restore = (DnsStub::InUse() || MayBeAnothers(fd)) && address != nullptr &&
                       IsReadable(length, sizeof *length);
  const socklen_t room = restore ? *length : 0;
  const ssize_t received = real::recvfrom(fd, buffer, count, flags, address, length);
  if (restore && received >= 0) RestoreSender(fd, address, room, length);
  return received;
}

ssize_t ReceiveDatagram(int fd, msghdr* message, int flags) {
  if (Associations::Has(fd) && !Guard::active() && IsWritable(message, sizeof *message)) {
    msghdr own = *message;
    if (own.msg_name != nullptr && static_cast<int>(own.msg_namelen) < 0) {
      return errno = EINVAL, -1;
    }
    SocketAddress source;
    const ssize_t received = ReceiveFromPeer(fd, own, flags, source);
    if (received < 0) return received;
    message->msg_flags = own.msg_flags;
    message->msg_controllen = own.msg_controllen;
    if (message->msg_name == nullptr) return received;
    const size_t room = std::min(message->msg_namelen, source.length);
    if (!IsWritable(message->msg_name, room)) return errno = EFAULT, -1;
    memcpy(message->msg_name, source.get(), room);
    message->msg_namelen = source.length;
    return received;
  }
  const bool restore = (DnsStub::InUse() || MayBeAnothers(fd)) &&
                       IsReadable(message, sizeof *message) && message->msg_name != nullptr;
  const socklen_t room = restore ? message->msg_namelen : 0;
  const ssize_t received = real::recvmsg(fd, message, flags);
  if (restore && received >= 0) {
    RestoreSender(fd, static_cast<sockaddr*>(message->msg_name), room, &message->msg_namelen);
  }
  return received;
}

int ReceiveDatagrams(int fd, mmsghdr* messages, unsigned count, int flags, timespec* timeout) {
  const bool good = IsReadable(messages, count * sizeof *messages);
  count = std::min<unsigned>(count, IOV_MAX);  // as the kernel does
  if (good && Associations::Has(fd) && !Guard::active()) {
    return ReceiveOneByOne(fd, messages, count, flags, timeout);
  }
  if (!good || (!DnsStub::InUse() && !MayBeAnothers(fd)))
    return real::recvmmsg(fd, messages, count, flags, timeout);
  std::vector<socklen_t> rooms;
  for (unsigned i = 0; i < count; ++i) rooms.push_back(messages[i].msg_hdr.msg_namelen);
  const int received = real::recvmmsg(fd, messages, count, flags, timeout);
  for (int i = 0; i < received; ++i) {
    msghdr& message = messages[i].msg_hdr;
    if (message.msg_name == nullptr) continue;
    RestoreSender(fd, static_cast<sockaddr*>(message.msg_name), rooms[static_cast<size_t>(i)],
                  &message.msg_namelen);
  }
  return received;
}

ssize_t ReceiveOctets(int fd, const iovec* vectors, int count, int flags) {
  msghdr message = {};
  message.msg_iov = const_cast<iovec*>(vectors);
  message.msg_iovlen = static_cast<size_t>(count);
  SocketAddress source;
  return ReceiveFromPeer(fd, message, flags, source);
}

ssize_t SendOctets(int fd, const iovec* vectors, int count, int flags) {
  msghdr message = {};
  message.msg_iov = const_cast<iovec*>(vectors);
  message.msg_iovlen = static_cast<size_t>(count);
  if (!MaySend(fd, SizeOfMessage(message), flags)) return -1;
  return SendOrRepeat(fd, [&] { return real::sendmsg(fd, &message, flags); });
}

int DatagramError(int fd, int error) {
  if (error != ECONNREFUSED || Guard::active()) return error;
  const auto association = Associations::Find(fd);
  return association != nullptr && association->open() ? association->Refused(fd) : error;
}

}  // namespace socksify
