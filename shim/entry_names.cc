// Names: answered here with an address that stands for the name, and resolved by the SOCKS server.
// With remote DNS no query leaves the machine.
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>

#include "lib/io/socket_address.h"
#include "shim/blocking_work.h"
#include "shim/entry.h"
#include "shim/guard.h"
#include "shim/name_map.h"
#include "shim/names.h"
#include "shim/real_calls.h"
#include "shim/route.h"
#include "shim/runtime.h"
#include "shim/thread.h"

namespace socksify {
namespace {

// For a name that is a program's to look up; those of the shim's own are libc's.
NameSource SourceFor(const char* name) {
  if (name == nullptr || name[0] == '\0' || Guard::active()) return {NameSource::Kind::kLibc, {}};
  return SourceOf(name);
}

bool IsBypassed(const char* name) {
  if (name == nullptr || Guard::active()) return false;
  const Config* config = Runtime::GetConfig();
  return config != nullptr && config->bypass.MentionsName(name);
}

void RememberLocalNames(const char* name, const addrinfo* list) {
  if (!IsBypassed(name)) return;
  for (const addrinfo* at = list; at != nullptr; at = at->ai_next) {
    if (auto address = AddressFromSockaddr(at->ai_addr, at->ai_addrlen)) {
      RememberLocalName(name, *address);
    }
  }
}

// --- addrinfo ---
// libc makes the list, so that freeaddrinfo(3) can free it: it is asked about numeric addresses.

int ListOf(const Address& address, const char* service, const addrinfo& hints, addrinfo** list) {
  addrinfo numeric = hints;
  numeric.ai_flags &= ~(AI_CANONNAME | AI_ADDRCONFIG | AI_IDN | AI_CANONIDN);
  numeric.ai_flags |= AI_NUMERICHOST;
  return real::getaddrinfo(address.Host().c_str(), service, &numeric, list);
}

int AddCanonicalName(std::string_view name, const addrinfo& hints, addrinfo* list) {
  if (list == nullptr || (hints.ai_flags & AI_CANONNAME) == 0) return 0;
  list->ai_canonname = strdup(std::string(name).c_str());
  return list->ai_canonname != nullptr ? 0 : EAI_MEMORY;
}

// What libc thinks of everything but the name, before that takes an address of the map.
int StandInList(std::string_view name, const char* service, const addrinfo& hints,
                addrinfo** list) {
  const bool ipv6 = hints.ai_family == AF_INET6;
  const Address placeholder = ipv6 ? Address::Ipv6({}, 0) : Address::Ipv4({}, 0);
  const int failure = ListOf(placeholder, service, hints, list);
  if (failure != 0) return failure;
  if ((hints.ai_flags & AI_NUMERICHOST) != 0 || !IsAskable(name)) return EAI_NONAME;
  const auto address = NameMap::AddressFor(Relative(name), placeholder.type);
  if (!address) return EAI_MEMORY;
  for (addrinfo* at = *list; at != nullptr; at = at->ai_next) {
    if (ipv6) {
      memcpy(&reinterpret_cast<sockaddr_in6*>(at->ai_addr)->sin6_addr, address->ip.data(), 16);
    } else {
      memcpy(&reinterpret_cast<sockaddr_in*>(at->ai_addr)->sin_addr, address->ip.data(), 4);
    }
  }
  return AddCanonicalName(Relative(name), hints, *list);
}

int HostsList(const Host& host, const char* service, const addrinfo& hints, addrinfo** list) {
  const bool any_ipv6 = std::ranges::any_of(
      host.addresses, [](const Address& address) { return address.type == AddressType::kIpv6; });
  addrinfo** end = list;
  for (const Address& address : host.addresses) {
    const bool mapped = hints.ai_family == AF_INET6 && address.type == AddressType::kIpv4;
    if (mapped && any_ipv6 && (hints.ai_flags & AI_ALL) == 0) continue;
    const int failure = ListOf(address, service, hints, end);
    if (failure == EAI_ADDRFAMILY) continue;
    if (failure != 0) return failure;
    while (*end != nullptr) end = &(*end)->ai_next;
  }
  if ((hints.ai_flags & AI_NUMERICHOST) != 0) return EAI_NONAME;
  if (*list == nullptr) return EAI_NODATA;  // there is the name, with addresses of the other family
  return AddCanonicalName(host.name, hints, *list);
}

int ListFor(const NameSource& source, const char* name, const char* service, const addrinfo* hints,
            addrinfo** result) {
  addrinfo given = {};
  if (hints != nullptr) given = *hints;
  addrinfo* list = nullptr;
  const int failure = source.kind == NameSource::Kind::kHosts
                          ? HostsList(source.host, service, given, &list)
                          : StandInList(name, service, given, &list);
  if (failure == 0) {
    *result = list;
  } else if (list != nullptr) {
    freeaddrinfo(list);
  }
  return failure;
}

// --- hostent ---

constexpr size_t kMaxHostAddresses = 35;  // as many as libc's resolver gives at most

// Fills `host` with a name and addresses of one family, in `buffer`. False when that is too small.
bool FillHost(std::string_view name, std::span<const Address> addresses, hostent* host,
              char* buffer, size_t size) {
  addresses = addresses.first(std::min(addresses.size(), kMaxHostAddresses));
  const size_t count = addresses.size();
  const size_t octets = addresses[0].ip_octets().size();
  const size_t misaligned = reinterpret_cast<uintptr_t>(buffer) % alignof(char*);
  const size_t padding = misaligned == 0 ? 0 : alignof(char*) - misaligned;
  const size_t pointers = (1 + count + 1) * sizeof(char*);
  if (size < padding + pointers + count * octets + name.size() + 1) return false;
  auto** aliases = reinterpret_cast<char**>(buffer + padding);
  char** list = aliases + 1;
  char* ip = buffer + padding + pointers;
  aliases[0] = nullptr;
  for (size_t i = 0; i < count; ++i, ip += octets) {
    memcpy(ip, addresses[i].ip.data(), octets);
    list[i] = ip;
  }
  list[count] = nullptr;
  memcpy(ip, name.data(), name.size());
  ip[name.size()] = '\0';
  *host = {ip, aliases, octets == 4 ? AF_INET : AF_INET6, static_cast<int>(octets), list};
  return true;
}

// As gethostbyname2_r for a name that libc is not to be asked for.
int HostByName(const NameSource& source, const char* name, int family, hostent* host, char* buffer,
               size_t size, hostent** result, int* error) {
  *result = nullptr;
  *error = NO_RECOVERY;
  if (family != AF_INET && family != AF_INET6) return EAFNOSUPPORT;
  const AddressType type = family == AF_INET6 ? AddressType::kIpv6 : AddressType::kIpv4;
  std::vector<Address> addresses;
  std::string_view canonical = Relative(name);
  if (source.kind == NameSource::Kind::kHosts) {
    canonical = source.host.name;
    std::ranges::copy_if(source.host.addresses, std::back_inserter(addresses),
                         [&](const Address& address) { return address.type == type; });
    *error = NO_DATA;
  } else if (!IsAskable(name)) {
    *error = HOST_NOT_FOUND;
  } else if (const auto address = NameMap::AddressFor(canonical, type)) {
    addresses.push_back(*address);
  }
  if (addresses.empty()) return 0;
  *error = NETDB_INTERNAL;
  if (!FillHost(canonical, addresses, host, buffer, size)) return ERANGE;
  *result = host;
  *error = NETDB_SUCCESS;
  return 0;
}

// The address of a bypassed name that libc has found.
void RememberLocalHost(const char* name, const hostent* host) {
  if (host == nullptr || !IsBypassed(name)) return;
  for (char** at = host->h_addr_list; *at != nullptr; ++at) {
    std::array<uint8_t, 16> ip = {};
    memcpy(ip.data(), *at, std::min<size_t>(ip.size(), static_cast<size_t>(host->h_length)));
    RememberLocalName(name, host->h_addrtype == AF_INET
                                ? Address::Ipv4({ip[0], ip[1], ip[2], ip[3]}, 0)
                                : Address::Ipv6(ip, 0));
  }
}

// gethostbyname and its kin answer in storage of their own, one per process.
constexpr size_t kHostBufferSize = 2048;
hostent g_host;
char g_host_buffer[kHostBufferSize];

hostent* StaticHostByName(const NameSource& source, const char* name, int family) {
  hostent* result = nullptr;
  int error = 0;
  (void)HostByName(source, name, family, &g_host, g_host_buffer, sizeof g_host_buffer, &result,
                   &error);
  if (result == nullptr) h_errno = error;
  return result;
}

AddressSource SourceOfRaw(const void* octets, socklen_t count, int family) {
  if (Guard::active()) return {};
  if (family == AF_INET && count >= sizeof(in_addr)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    memcpy(&address.sin_addr, octets, sizeof address.sin_addr);
    return SourceOf(reinterpret_cast<sockaddr*>(&address), sizeof address);
  }
  if (family == AF_INET6 && count >= sizeof(in6_addr)) {
    sockaddr_in6 address = {};
    address.sin6_family = AF_INET6;
    memcpy(&address.sin6_addr, octets, sizeof address.sin6_addr);
    return SourceOf(reinterpret_cast<sockaddr*>(&address), sizeof address);
  }
  return {};
}

Address RawAddress(const void* octets, int family) {
  Address address;
  address.type = family == AF_INET ? AddressType::kIpv4 : AddressType::kIpv6;
  memcpy(address.ip.data(), octets, family == AF_INET ? 4 : 16);
  return address;
}

// The application's function gets a thread of its own, as libc would give it.
void* RunNotification(void* argument) {
  auto* notify = static_cast<sigevent*>(argument);
  const sigevent event = *notify;
  delete notify;
  sigset_t none;
  sigemptyset(&none);
  pthread_sigmask(SIG_SETMASK, &none, nullptr);
  event.sigev_notify_function(event.sigev_value);
  return nullptr;
}

void Notify(const sigevent& notify) {
  if (notify.sigev_notify == SIGEV_SIGNAL) {
    siginfo_t info = {};
    info.si_signo = notify.sigev_signo;
    info.si_code = SI_ASYNCNL;
    info.si_pid = getpid();
    info.si_uid = getuid();
    info.si_value = notify.sigev_value;
    (void)real::syscall(SYS_rt_sigqueueinfo, getpid(), notify.sigev_signo, &info);
  } else if (notify.sigev_notify == SIGEV_THREAD) {
    auto* copy = new sigevent(notify);
    if (!StartThread(&RunNotification, copy)) (void)RunNotification(copy);
  }
}

}  // namespace
}  // namespace socksify

using namespace socksify;  // NOLINT: the functions below are libc's

EXPORT int getaddrinfo(const char* name, const char* service, const addrinfo* hints,
                       addrinfo** list) {
  ErrnoKeeper keeper;
  const NameSource source = SourceFor(name);
  if (source.kind == NameSource::Kind::kLibc) {
    const NetworkWait wait(NetworkWait::For::kResolver);
    const int failure = real::getaddrinfo(name, service, hints, list);
    if (failure == 0) RememberLocalNames(name, *list);
    return failure;
  }
  const int failure = ListFor(source, name, service, hints, list);
  if (failure == 0) (void)keeper.Return(0);
  return failure;
}

// Most names are answered at once, so little is gained by doing this behind the caller's back.
EXPORT int getaddrinfo_a(int mode, gaicb* list[], int count, sigevent* notify) {
  if (mode != GAI_WAIT && mode != GAI_NOWAIT) return errno = EINVAL, EAI_SYSTEM;
  for (int i = 0; i < count; ++i) {
    if (list[i] == nullptr) continue;
    list[i]->__return = getaddrinfo(list[i]->ar_name, list[i]->ar_service, list[i]->ar_request,
                                    &list[i]->ar_result);
  }
  if (mode == GAI_NOWAIT && notify != nullptr) Notify(*notify);
  return 0;
}

EXPORT int getnameinfo(const sockaddr* address, socklen_t length, char* host, socklen_t host_size,
                       char* service, socklen_t service_size, int flags) {
  if (host == nullptr || host_size == 0 || (flags & NI_NUMERICHOST) != 0 || Guard::active()) {
    return real::getnameinfo(address, length, host, host_size, service, service_size, flags);
  }
  const AddressSource source = SourceOf(address, length);
  if (source.kind == AddressSource::Kind::kUnknown) {
    if ((flags & NI_NAMEREQD) != 0) return EAI_NONAME;
    flags |= NI_NUMERICHOST;
  }
  if (source.kind != AddressSource::Kind::kKnown) {
    return real::getnameinfo(address, length, host, host_size, service, service_size, flags);
  }
  if (service != nullptr && service_size != 0) {
    const int failure =
        real::getnameinfo(address, length, nullptr, 0, service, service_size, flags & ~NI_NAMEREQD);
    if (failure != 0) return failure;
  }
  if (source.name.size() >= host_size) return EAI_OVERFLOW;
  memcpy(host, source.name.c_str(), source.name.size() + 1);
  return 0;
}

EXPORT hostent* gethostbyname(const char* name) {
  const NameSource source = SourceFor(name);
  if (source.kind != NameSource::Kind::kLibc) return StaticHostByName(source, name, AF_INET);
  hostent* host = real::gethostbyname(name);
  RememberLocalHost(name, host);
  return host;
}

EXPORT hostent* gethostbyname2(const char* name, int family) {
  const NameSource source = SourceFor(name);
  if (source.kind != NameSource::Kind::kLibc) return StaticHostByName(source, name, family);
  hostent* host = real::gethostbyname2(name, family);
  RememberLocalHost(name, host);
  return host;
}

EXPORT int gethostbyname2_r(const char* name, int family, hostent* host, char* buffer, size_t size,
                            hostent** result, int* error) {
  const NameSource source = SourceFor(name);
  if (source.kind != NameSource::Kind::kLibc) {
    return HostByName(source, name, family, host, buffer, size, result, error);
  }
  const int failure = real::gethostbyname2_r(name, family, host, buffer, size, result, error);
  if (failure == 0) RememberLocalHost(name, *result);
  return failure;
}

EXPORT int gethostbyname_r(const char* name, hostent* host, char* buffer, size_t size,
                           hostent** result, int* error) {
  return gethostbyname2_r(name, AF_INET, host, buffer, size, result, error);
}

EXPORT int gethostbyaddr_r(const void* octets, socklen_t count, int family, hostent* host,
                           char* buffer, size_t size, hostent** result, int* error) {
  const AddressSource source = SourceOfRaw(octets, count, family);
  if (source.kind == AddressSource::Kind::kLibc) {
    return real::gethostbyaddr_r(octets, count, family, host, buffer, size, result, error);
  }
  *result = nullptr;
  *error = HOST_NOT_FOUND;
  if (source.kind == AddressSource::Kind::kUnknown) return 0;
  *error = NETDB_INTERNAL;
  const Address address = RawAddress(octets, family);
  if (!FillHost(source.name, {&address, 1}, host, buffer, size)) return ERANGE;
  *result = host;
  *error = NETDB_SUCCESS;
  return 0;
}

EXPORT hostent* gethostbyaddr(const void* octets, socklen_t count, int family) {
  if (SourceOfRaw(octets, count, family).kind == AddressSource::Kind::kLibc) {
    return real::gethostbyaddr(octets, count, family);
  }
  hostent* result = nullptr;
  int error = 0;
  (void)gethostbyaddr_r(octets, count, family, &g_host, g_host_buffer, sizeof g_host_buffer,
                        &result, &error);
  if (result == nullptr) h_errno = error;
  return result;
}
