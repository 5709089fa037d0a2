// res_query and its kin, of which libc sends queries from within: they are answered as the DNS stub
// answers, without a socket. A name is asked for as it is, as getaddrinfo does; search lists do not
// apply, for every name has an answer here.
#include <netdb.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "lib/wire/dns.h"
#include "shim/dns_answers.h"
#include "shim/entry.h"
#include "shim/guard.h"
#include "shim/real_calls.h"
#include "shim/runtime.h"

namespace socksify {
namespace {

// With --dns local, and for the shim itself, queries are libc's to send.
bool IsLibcs() {
  if (Guard::active()) return true;
  const Config* config = Runtime::GetConfig();
  return config != nullptr && config->dns == DnsMode::kLocal;
}

// As res_send(3).
int Answer(ByteView message, unsigned char* answer, int size) {
  ErrnoKeeper keeper;
  const auto query = ParseDnsQuery(message);
  if (!query || size < static_cast<int>(kDnsHeaderSize)) return FailWith(EINVAL);
  const auto octets = AnswerDns(*query, static_cast<size_t>(size), true);
  memcpy(answer, octets->data(), std::min(octets->size(), static_cast<size_t>(size)));
  return keeper.Return(static_cast<int>(octets->size()));
}

int HostError(const unsigned char* answer) {
  switch (static_cast<DnsCode>(answer[3] & 0x0f)) {
    case DnsCode::kNoError:
      return answer[6] == 0 && answer[7] == 0 ? NO_DATA : NETDB_SUCCESS;
    case DnsCode::kNoSuchName:
      return HOST_NOT_FOUND;
    case DnsCode::kServerFailure:
      return TRY_AGAIN;
    default:
      return NO_RECOVERY;
  }
}

// As res_query(3): an answer without records is a failure.
int Query(res_state state, const std::string& name, int rr_class, int type, unsigned char* answer,
          int size) {
  constexpr uint16_t kId = 0;  // nobody could forge the answer
  const auto query =
      WriteDnsQuery(kId, name, static_cast<uint16_t>(type), static_cast<uint16_t>(rr_class));
  int error = NO_RECOVERY;
  int answered = -1;
  if (query) answered = Answer(*query, answer, size);
  if (answered >= 0) error = HostError(answer);
  if (state != nullptr) state->res_h_errno = error;
  h_errno = error;
  return error == NETDB_SUCCESS ? answered : -1;
}

// As res_querydomain(3) puts them together.
std::string Joined(const char* name, const char* domain) {
  return domain == nullptr || domain[0] == '\0' ? std::string(name)
                                                : std::string(name) + "." + domain;
}

ByteView View(const unsigned char* octets, int size) {
  return {octets, static_cast<size_t>(std::max(size, 0))};
}

}  // namespace
}  // namespace socksify

using namespace socksify;  // NOLINT: the functions below are libc's

EXPORT int res_query(const char* name, int rr_class, int type, unsigned char* answer,
                     int size) noexcept {
  if (IsLibcs()) return real::res_query(name, rr_class, type, answer, size);
  return Query(nullptr, name, rr_class, type, answer, size);
}
EXPORT int res_search(const char* name, int rr_class, int type, unsigned char* answer,
                      int size) noexcept {
  if (IsLibcs()) return real::res_search(name, rr_class, type, answer, size);
  return Query(nullptr, name, rr_class, type, answer, size);
}
EXPORT int res_querydomain(const char* name, const char* domain, int rr_class, int type,
                           unsigned char* answer, int size) noexcept {
  if (IsLibcs()) return real::res_querydomain(name, domain, rr_class, type, answer, size);
  return Query(nullptr, Joined(name, domain), rr_class, type, answer, size);
}
EXPORT int res_send(const unsigned char* query, int query_size, unsigned char* answer,
                    int size) noexcept {
  if (IsLibcs()) return real::res_send(query, query_size, answer, size);
  return Answer(View(query, query_size), answer, size);
}
EXPORT int res_nquery(res_state state, const char* name, int rr_class, int type,
                      unsigned char* answer, int size) noexcept {
  if (IsLibcs()) return real::res_nquery(state, name, rr_class, type, answer, size);
  return Query(state, name, rr_class, type, answer, size);
}
EXPORT int res_nsearch(res_state state, const char* name, int rr_class, int type,
                       unsigned char* answer, int size) noexcept {
  if (IsLibcs()) return real::res_nsearch(state, name, rr_class, type, answer, size);
  return Query(state, name, rr_class, type, answer, size);
}
EXPORT int res_nquerydomain(res_state state, const char* name, const char* domain, int rr_class,
                            int type, unsigned char* answer, int size) noexcept {
  if (IsLibcs()) {
    return real::res_nquerydomain(state, name, domain, rr_class, type, answer, size);
  }
  return Query(state, Joined(name, domain), rr_class, type, answer, size);
}
EXPORT int res_nsend(res_state state, const unsigned char* query, int query_size,
                     unsigned char* answer, int size) noexcept {
  if (IsLibcs()) return real::res_nsend(state, query, query_size, answer, size);
  return Answer(View(query, query_size), answer, size);
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
