// Names: answered here with an address that stands for the name, and resolved by the SOCKS server.
// With remote DNS no query leaves the machine.
#include <arpa/inet.h>
#include <signal.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>

#include "lib/io/socket_address.h"
#include "shim/entry.h"
#include "shim/guard.h"
#include "shim/name_map.h"
#include "shim/real_calls.h"
#include "shim/report.h"
#include "shim/route.h"
#include "shim/runtime.h"

namespace socksify {
namespace {

// RFC 1123 host names, underscores, and octets above 7F (internationalised names go as they are).
bool IsHostName(std::string_view name) {
  if (!name.empty() && name.back() == '.') name.remove_suffix(1);
  if (name.empty() || name.size() > kMaxNameLength || name.front() == '.') return false;
  return std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return isalnum(c) || c == '-' || c == '_' || c == '.' || c >= 0x80;
  });
}

// The name without its final dot, which says that it is absolute: all names are, to the server.
std::string_view Relative(std::string_view name) {
  if (name.size() > 1 && name.back() == '.') name.remove_suffix(1);
  return name;
}

bool IsServedHere(const char* name) {
  return name != nullptr && name[0] != '\0' && !Guard::active() && IsRemoteName(name);
}

void RememberLocalNames(const char* name, const addrinfo* list) {
  const Config* config = Runtime::GetConfig();
  if (config == nullptr || !config->bypass.MentionsName(name)) return;
  for (const addrinfo* at = list; at != nullptr; at = at->ai_next) {
    RememberLocalName(name, at->ai_addr, at->ai_addrlen);
  }
}

int ResolveRemotely(const char* name, const char* service, const addrinfo* hints, addrinfo** list) {
  addrinfo numeric = {};
  if (hints != nullptr) numeric = *hints;
  if (hints != nullptr && (hints->ai_flags & AI_NUMERICHOST) != 0) return EAI_NONAME;
  if (!IsHostName(name)) return EAI_NONAME;
  const bool ipv6 = numeric.ai_family == AF_INET6;
  auto address =
      NameMap::AddressFor(Relative(name), ipv6 ? AddressType::kIpv6 : AddressType::kIpv4);
  if (!address) return EAI_MEMORY;
  // libc makes the list, so that freeaddrinfo(3) can free it: ask it about the numeric address.
  numeric.ai_flags =
      (numeric.ai_flags & ~(AI_CANONNAME | AI_ADDRCONFIG | AI_IDN | AI_CANONIDN)) | AI_NUMERICHOST;
  if (numeric.ai_family == AF_UNSPEC) numeric.ai_family = AF_INET;
  const int failure = real::getaddrinfo(address->Host().c_str(), service, &numeric, list);
  if (failure == 0 && hints != nullptr && (hints->ai_flags & AI_CANONNAME) != 0) {
    (*list)->ai_canonname = strdup(std::string(Relative(name)).c_str());
    if ((*list)->ai_canonname == nullptr) {
      freeaddrinfo(*list);
      return EAI_MEMORY;
    }
  }
  return failure;
}

// --- hostent
// ---------------------------------------------------------------------------------------

// Fills `host` with one name and one address, in `buffer`. False when that is too small.
bool FillHost(std::string_view name, const Address& address, hostent* host, char* buffer,
              size_t size) {
  struct Fixed {
    char* aliases[1];
    char* addresses[2];
    uint8_t octets[16];
  };
  const size_t misaligned = reinterpret_cast<uintptr_t>(buffer) % alignof(Fixed);
  const size_t padding = misaligned == 0 ? 0 : alignof(Fixed) - misaligned;
  if (size < padding + sizeof(Fixed) + name.size() + 1) return false;
  auto* fixed = reinterpret_cast<Fixed*>(buffer + padding);
  char* text = buffer + padding + sizeof(Fixed);
  memcpy(text, name.data(), name.size());
  text[name.size()] = '\0';
  memcpy(fixed->octets, address.ip.data(), sizeof fixed->octets);
  fixed->aliases[0] = nullptr;
  fixed->addresses[0] = reinterpret_cast<char*>(fixed->octets);
  fixed->addresses[1] = nullptr;
  *host = {text, fixed->aliases, address.type == AddressType::kIpv4 ? AF_INET : AF_INET6,
           static_cast<int>(address.ip_octets().size()), fixed->addresses};
  return true;
}

// As gethostbyname2_r for a name that is served here.
int HostByName(const char* name, int family, hostent* host, char* buffer, size_t size,
               hostent** result, int* error) {
  *result = nullptr;
  *error = NO_RECOVERY;
  if (family != AF_INET && family != AF_INET6) return 0;
  *error = HOST_NOT_FOUND;
  if (!IsHostName(name)) return 0;
  auto address = NameMap::AddressFor(Relative(name),
                                     family == AF_INET6 ? AddressType::kIpv6 : AddressType::kIpv4);
  *error = TRY_AGAIN;
  if (!address) return 0;
  *error = NETDB_INTERNAL;
  if (!FillHost(Relative(name), *address, host, buffer, size)) return ERANGE;
  *result = host;
  *error = NETDB_SUCCESS;
  return 0;
}

// The address of a bypassed name that libc has found.
void RememberLocalHost(const char* name, const hostent* host) {
  const Config* config = Runtime::GetConfig();
  if (host == nullptr || config == nullptr || !config->bypass.MentionsName(name)) return;
  for (char** at = host->h_addr_list; *at != nullptr; ++at) {
    sockaddr_storage storage = {};
    storage.ss_family = static_cast<sa_family_t>(host->h_addrtype);
    if (host->h_addrtype == AF_INET) {
      memcpy(&reinterpret_cast<sockaddr_in*>(&storage)->sin_addr, *at, 4);
    } else {
      memcpy(&reinterpret_cast<sockaddr_in6*>(&storage)->sin6_addr, *at, 16);
    }
    RememberLocalName(name, reinterpret_cast<sockaddr*>(&storage), sizeof storage);
  }
}

// gethostbyname and its kin answer in storage of their own, one per process.
constexpr size_t kHostBufferSize = 512;
hostent g_host;
char g_host_buffer[kHostBufferSize];

hostent* StaticHostByName(const char* name, int family) {
  hostent* result = nullptr;
  int error = 0;
  (void)HostByName(name, family, &g_host, g_host_buffer, sizeof g_host_buffer, &result, &error);
  if (result == nullptr) h_errno = error;
  return result;
}

// What the name of an address is: known here, to be asked of libc, or not to be asked of anybody.
enum class Reverse : unsigned char { kKnown, kAskLibc, kUnknown };

Reverse ReverseOf(const sockaddr* address, socklen_t length, std::string* name) {
  if (Guard::active()) return Reverse::kAskLibc;
  const Config* config = Runtime::GetConfig();
  if (config != nullptr && config->dns == DnsMode::kLocal) return Reverse::kAskLibc;
  const Route route = RouteTo(address, length);
  if (route.kind == Route::Kind::kDirect) return Reverse::kAskLibc;
  if (route.kind != Route::Kind::kProxy || route.destination.type != AddressType::kName) {
    return Reverse::kUnknown;
  }
  *name = route.destination.name;
  return Reverse::kKnown;
}

Reverse ReverseOf(const void* octets, socklen_t count, int family, std::string* name) {
  sockaddr_storage storage = {};
  storage.ss_family = static_cast<sa_family_t>(family);
  if (family == AF_INET && count >= 4) {
    memcpy(&reinterpret_cast<sockaddr_in*>(&storage)->sin_addr, octets, 4);
  } else if (family == AF_INET6 && count >= 16) {
    memcpy(&reinterpret_cast<sockaddr_in6*>(&storage)->sin6_addr, octets, 16);
  } else {
    return Reverse::kAskLibc;
  }
  return ReverseOf(reinterpret_cast<sockaddr*>(&storage), sizeof storage, name);
}

Address RawAddress(const void* octets, int family) {
  Address address;
  address.type = family == AF_INET ? AddressType::kIpv4 : AddressType::kIpv6;
  memcpy(address.ip.data(), octets, family == AF_INET ? 4 : 16);
  return address;
}

// A query that the stub resolver would send to a name server: none may leave.
bool MayQuery() {
  if (Guard::active()) return true;
  const Config* config = Runtime::GetConfig();
  if (config != nullptr && config->dns == DnsMode::kLocal) return true;
  ReportOnce("a DNS query of the program was refused: with --dns remote none leaves this machine",
             LogLevel::kInfo);
  h_errno = NO_RECOVERY;
  errno = ECONNREFUSED;
  return false;
}

}  // namespace
}  // namespace socksify

using namespace socksify;  // NOLINT: the functions below are libc's

EXPORT int getaddrinfo(const char* name, const char* service, const addrinfo* hints,
                       addrinfo** list) {
  ErrnoKeeper keeper;
  if (IsServedHere(name)) {
    const int failure = ResolveRemotely(name, service, hints, list);
    if (failure == 0) (void)keeper.Return(0);
    return failure;
  }
  const int failure = real::getaddrinfo(name, service, hints, list);
  if (failure == 0 && name != nullptr && !Guard::active()) RememberLocalNames(name, *list);
  return failure;
}

// Remote names are answered at once, so nothing is gained by doing this behind the caller's back.
EXPORT int getaddrinfo_a(int mode, gaicb* list[], int count, sigevent* notify) {
  if (mode != GAI_WAIT && mode != GAI_NOWAIT) return errno = EINVAL, EAI_SYSTEM;
  for (int i = 0; i < count; ++i) {
    if (list[i] == nullptr) continue;
    list[i]->__return = getaddrinfo(list[i]->ar_name, list[i]->ar_service, list[i]->ar_request,
                                    &list[i]->ar_result);
  }
  if (mode == GAI_NOWAIT && notify != nullptr && notify->sigev_notify == SIGEV_SIGNAL) {
    (void)sigqueue(getpid(), notify->sigev_signo, notify->sigev_value);
  } else if (mode == GAI_NOWAIT && notify != nullptr && notify->sigev_notify == SIGEV_THREAD) {
    notify->sigev_notify_function(notify->sigev_value);
  }
  return 0;
}

EXPORT int getnameinfo(const sockaddr* address, socklen_t length, char* host, socklen_t host_size,
                       char* service, socklen_t service_size, int flags) {
  std::string name;
  const Reverse reverse = host != nullptr && host_size != 0 && (flags & NI_NUMERICHOST) == 0
                              ? ReverseOf(address, length, &name)
                              : Reverse::kAskLibc;
  if (reverse == Reverse::kUnknown) {
    if ((flags & NI_NAMEREQD) != 0) return EAI_NONAME;
    flags |= NI_NUMERICHOST;
  }
  if (reverse != Reverse::kKnown) {
    return real::getnameinfo(address, length, host, host_size, service, service_size, flags);
  }
  if (service != nullptr && service_size != 0) {
    const int failure =
        real::getnameinfo(address, length, nullptr, 0, service, service_size, flags & ~NI_NAMEREQD);
    if (failure != 0) return failure;
  }
  if (name.size() >= host_size) return EAI_OVERFLOW;
  memcpy(host, name.c_str(), name.size() + 1);
  return 0;
}

EXPORT hostent* gethostbyname(const char* name) {
  if (IsServedHere(name)) return StaticHostByName(name, AF_INET);
  hostent* host = real::gethostbyname(name);
  if (!Guard::active()) RememberLocalHost(name, host);
  return host;
}

EXPORT hostent* gethostbyname2(const char* name, int family) {
  if (IsServedHere(name)) return StaticHostByName(name, family);
  hostent* host = real::gethostbyname2(name, family);
  if (!Guard::active()) RememberLocalHost(name, host);
  return host;
}

EXPORT int gethostbyname2_r(const char* name, int family, hostent* host, char* buffer, size_t size,
                            hostent** result, int* error) {
  if (IsServedHere(name)) return HostByName(name, family, host, buffer, size, result, error);
  const int failure = real::gethostbyname2_r(name, family, host, buffer, size, result, error);
  if (failure == 0 && !Guard::active()) RememberLocalHost(name, *result);
  return failure;
}

EXPORT int gethostbyname_r(const char* name, hostent* host, char* buffer, size_t size,
                           hostent** result, int* error) {
  if (IsServedHere(name)) return HostByName(name, AF_INET, host, buffer, size, result, error);
  const int failure = real::gethostbyname_r(name, host, buffer, size, result, error);
  if (failure == 0 && !Guard::active()) RememberLocalHost(name, *result);
  return failure;
}

EXPORT int gethostbyaddr_r(const void* octets, socklen_t count, int family, hostent* host,
                           char* buffer, size_t size, hostent** result, int* error) {
  std::string name;
  switch (ReverseOf(octets, count, family, &name)) {
    case Reverse::kAskLibc:
      return real::gethostbyaddr_r(octets, count, family, host, buffer, size, result, error);
    case Reverse::kUnknown:
      *result = nullptr;
      *error = HOST_NOT_FOUND;
      return 0;
    case Reverse::kKnown:
      break;
  }
  *result = nullptr;
  *error = NETDB_INTERNAL;
  if (!FillHost(name, RawAddress(octets, family), host, buffer, size)) return ERANGE;
  *result = host;
  *error = NETDB_SUCCESS;
  return 0;
}

EXPORT hostent* gethostbyaddr(const void* octets, socklen_t count, int family) {
  std::string name;
  switch (ReverseOf(octets, count, family, &name)) {
    case Reverse::kAskLibc:
      return real::gethostbyaddr(octets, count, family);
    case Reverse::kUnknown:
      h_errno = HOST_NOT_FOUND;
      return nullptr;
    case Reverse::kKnown:
      break;
  }
  return FillHost(name, RawAddress(octets, family), &g_host, g_host_buffer, sizeof g_host_buffer)
             ? &g_host
             : nullptr;
}

EXPORT int res_query(const char* name, int rr_class, int type, unsigned char* answer,
                     int size) noexcept {
  return MayQuery() ? real::res_query(name, rr_class, type, answer, size) : -1;
}
EXPORT int res_search(const char* name, int rr_class, int type, unsigned char* answer,
                      int size) noexcept {
  return MayQuery() ? real::res_search(name, rr_class, type, answer, size) : -1;
}
EXPORT int res_send(const unsigned char* query, int query_size, unsigned char* answer,
                    int size) noexcept {
  return MayQuery() ? real::res_send(query, query_size, answer, size) : -1;
}
EXPORT int res_querydomain(const char* name, const char* domain, int rr_class, int type,
                           unsigned char* answer, int size) noexcept {
  return MayQuery() ? real::res_querydomain(name, domain, rr_class, type, answer, size) : -1;
}
EXPORT int res_nquery(res_state state, const char* name, int rr_class, int type,
                      unsigned char* answer, int size) noexcept {
  return MayQuery() ? real::res_nquery(state, name, rr_class, type, answer, size) : -1;
}
EXPORT int res_nsearch(res_state state, const char* name, int rr_class, int type,
                       unsigned char* answer, int size) noexcept {
  return MayQuery() ? real::res_nsearch(state, name, rr_class, type, answer, size) : -1;
}
EXPORT int res_nsend(res_state state, const unsigned char* query, int query_size,
                     unsigned char* answer, int size) noexcept {
  return MayQuery() ? real::res_nsend(state, query, query_size, answer, size) : -1;
}
EXPORT int res_nquerydomain(res_state state, const char* name, const char* domain, int rr_class,
                            int type, unsigned char* answer, int size) noexcept {
  return MayQuery() ? real::res_nquerydomain(state, name, domain, rr_class, type, answer, size)
                    : -1;
}

// What programs of before glibc 2.34 were linked against.
#define OLD_NAME(name) \
  extern "C" __attribute__((visibility("default"), alias(#name))) decltype(name) __##name
OLD_NAME(res_query);
OLD_NAME(res_search);
OLD_NAME(res_send);
OLD_NAME(res_querydomain);
OLD_NAME(res_nquery);
OLD_NAME(res_nsearch);
OLD_NAME(res_nsend);
OLD_NAME(res_nquerydomain);
