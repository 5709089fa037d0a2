#include "shim/datagrams.h"

#include <limits.h>
#include <netinet/in.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "shim/dns_stub.h"
#include "shim/guard.h"
#include "shim/real_calls.h"
#include "shim/report.h"
#include "shim/route.h"
#include "shim/runtime.h"
#include "shim/user_memory.h"

namespace socksify {
namespace {

using Kind = DatagramTarget::Kind;

int SocketOption(int fd, int option) {  // -1 with errno when it is no socket
  int value = 0;
  socklen_t size = sizeof value;
  return real::getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

// Who has sent it. `room` is what there was for the address.
void RestoreSender(msghdr& message, socklen_t room) {
  if (message.msg_name == nullptr) return;
  DnsStub::Restore(SOCK_DGRAM, static_cast<sockaddr*>(message.msg_name), room,
                   &message.msg_namelen);
}

}  // namespace

bool AsksNameServer(int fd, int type, const sockaddr* address, socklen_t length) {
  if (!IsNameServer(address, length)) return false;
  const int protocol = SocketOption(fd, SO_PROTOCOL);
  return type == SOCK_STREAM ? protocol != IPPROTO_SCTP : protocol == IPPROTO_UDP;
}

DatagramTarget DatagramTargetFor(int fd, const sockaddr* address, socklen_t length,
                                 LogLevel level) {
  if (Guard::active() || address == nullptr || length < sizeof address->sa_family) return {};
  length = std::min<socklen_t>(length, sizeof(sockaddr_storage));  // as sendmsg(2) does
  if (!IsReadable(address, length)) return {};                     // the kernel's to refuse
  sockaddr_storage storage = {};
  memcpy(&storage, address, length);
  const auto* named = reinterpret_cast<const sockaddr*>(&storage);
  // Where an IPv4 socket is given no family, the kernel reads the address as IPv4.
  if (storage.ss_family == AF_UNSPEC && SocketOption(fd, SO_DOMAIN) == AF_INET)
    storage.ss_family = AF_INET;
  if (storage.ss_family != AF_INET && storage.ss_family != AF_INET6) return {};
  const int type = SocketOption(fd, SO_TYPE);
  if (type < 0) return {};
  // TCP does not look at the address; SCTP connects to it.
  if (type == SOCK_STREAM && SocketOption(fd, SO_PROTOCOL) != IPPROTO_SCTP) return {};
  if (AsksNameServer(fd, type, named, length)) {
    const auto stand_in = DnsStub::StandInFor(fd, type, named, length);
    return stand_in ? DatagramTarget{Kind::kStandIn, *stand_in} : DatagramTarget{Kind::kRefused};
  }
  const Route route = RouteTo(named, length);
  if (route.kind == Route::Kind::kDirect) return {};
  const Config* config = Runtime::GetConfig();
  if (config != nullptr && config->udp == UdpMode::kDirect && route.kind == Route::Kind::kProxy &&
      route.destination.type != AddressType::kName) {
    return {};
  }
  if (config != nullptr && config->udp == UdpMode::kRelay) {
    ReportOnce(
        "datagrams cannot go through the server (this version has no UDP ASSOCIATE); "
        "they are refused, see --udp",
        level);
  }
  errno = route.kind == Route::Kind::kRefuse ? route.error : EACCES;
  return {Kind::kRefused};
}

int ConnectDatagrams(int fd, const sockaddr* address, socklen_t length) {
  // Resolvers connect to sort addresses, and send nothing: no reason to tell the user.
  const DatagramTarget target = DatagramTargetFor(fd, address, length, LogLevel::kInfo);
  if (target.kind == Kind::kRefused) return -1;
  if (target.kind == Kind::kAsNamed) return real::connect(fd, address, length);
  return real::connect(fd, target.stand_in.get(), target.stand_in.length);
}

ssize_t SendDatagram(int fd, const void* octets, size_t count, int flags, const sockaddr* address,
                     socklen_t length) {
  const DatagramTarget target = DatagramTargetFor(fd, address, length);
  if (target.kind == Kind::kRefused) return -1;
  if (target.kind == Kind::kAsNamed) {
    return real::sendto(fd, octets, count, flags, address, length);
  }
  return real::sendto(fd, octets, count, flags, target.stand_in.get(), target.stand_in.length);
}

ssize_t SendMessageTo(const DatagramTarget& target, int fd, const msghdr* message, int flags) {
  if (target.kind == Kind::kRefused) return -1;
  if (target.kind == Kind::kAsNamed) return real::sendmsg(fd, message, flags);
  msghdr changed = *message;
  changed.msg_name = const_cast<sockaddr*>(target.stand_in.get());
  changed.msg_namelen = target.stand_in.length;
  changed.msg_control = nullptr;  // it would choose an interface or a source address
  changed.msg_controllen = 0;
  return real::sendmsg(fd, &changed, flags);
}

ssize_t ReceiveDatagram(int fd, void* buffer, size_t count, int flags, sockaddr* address,
                        socklen_t* length) {
  const bool restore = DnsStub::InUse() && address != nullptr && IsReadable(length, sizeof *length);
  const socklen_t room = restore ? *length : 0;
  const ssize_t received = real::recvfrom(fd, buffer, count, flags, address, length);
  if (restore && received >= 0) DnsStub::Restore(SOCK_DGRAM, address, room, length);
  return received;
}

ssize_t ReceiveDatagram(int fd, msghdr* message, int flags) {
  const bool restore = DnsStub::InUse() && IsReadable(message, sizeof *message);
  const socklen_t room = restore ? message->msg_namelen : 0;
  const ssize_t received = real::recvmsg(fd, message, flags);
  if (restore && received >= 0) RestoreSender(*message, room);
  return received;
}

int ReceiveDatagrams(int fd, mmsghdr* messages, unsigned count, int flags, timespec* timeout) {
  if (!DnsStub::InUse() || !IsReadable(messages, count * sizeof *messages)) {
    return real::recvmmsg(fd, messages, count, flags, timeout);
  }
  count = std::min<unsigned>(count, IOV_MAX);  // as the kernel does
  std::vector<socklen_t> rooms;
  for (unsigned i = 0; i < count; ++i) rooms.push_back(messages[i].msg_hdr.msg_namelen);
  const int received = real::recvmmsg(fd, messages, count, flags, timeout);
  for (int i = 0; i < received; ++i) {
    RestoreSender(messages[i].msg_hdr, rooms[static_cast<size_t>(i)]);
  }
  return received;
}

}  // namespace socksify
