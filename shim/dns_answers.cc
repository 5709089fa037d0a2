#include "shim/dns_answers.h"

#include <netdb.h>

#include <memory>
#include <string>
#include <vector>

#include "lib/io/socket_address.h"
#include "shim/blocking_work.h"
#include "shim/guard.h"
#include "shim/name_map.h"
#include "shim/names.h"
#include "shim/real_calls.h"
#include "shim/route.h"

namespace socksify {
namespace {

constexpr uint16_t kInternet = 1;
constexpr uint16_t kAnyClass = 255;
// A name keeps its address while the run lasts, so a cache may keep it too, but not for longer.
constexpr uint32_t kTimeToLive = 60;

struct Answer {
  DnsCode code = DnsCode::kNoError;
  std::vector<DnsRecord> records;
};

bool Asks(const DnsQuery& query, AddressType family) {
  return query.type == DnsType::kAny ||
         query.type == (family == AddressType::kIpv4 ? DnsType::kA : DnsType::kAaaa);
}

void AddAddress(const DnsQuery& query, const Address& address, Answer& answer) {
  if (Asks(query, address.type)) answer.records.push_back(DnsRecord::Of(address, kTimeToLive));
}

Answer AskLibc(const DnsQuery& query, const std::string& name) {
  const Guard guard;
  const BlockingWork work;
  const NetworkWait wait(NetworkWait::For::kResolver);
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  if (query.type == DnsType::kA) hints.ai_family = AF_INET;
  if (query.type == DnsType::kAaaa) hints.ai_family = AF_INET6;
  addrinfo* list = nullptr;
  switch (real::getaddrinfo(name.c_str(), nullptr, &hints, &list)) {
    case 0:
      break;
    case EAI_NONAME:
      return {DnsCode::kNoSuchName, {}};
    case EAI_NODATA:
    case EAI_ADDRFAMILY:
      return {};
    default:
      return {DnsCode::kServerFailure, {}};
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(list, &freeaddrinfo);
  Answer answer;
  for (const addrinfo* at = list; at != nullptr; at = at->ai_next) {
    const auto address = AddressFromSockaddr(at->ai_addr, at->ai_addrlen);
    if (!address) continue;
    RememberLocalName(name, *address);
    AddAddress(query, *address, answer);
  }
  return answer;
}

std::optional<Answer> LookUpAddresses(const DnsQuery& query, bool may_wait) {
  Answer answer;
  const NameSource source = SourceOf(query.name);
  switch (source.kind) {
    case NameSource::Kind::kStandIn:
      break;
    case NameSource::Kind::kHosts:
      for (const Address& address : source.host.addresses) AddAddress(query, address, answer);
      return answer;
    case NameSource::Kind::kLibc:
      if (!may_wait) return std::nullopt;
      return AskLibc(query, query.name);
  }
  if (!IsAskable(query.name)) return Answer{DnsCode::kNoSuchName, {}};
  if (!Asks(query, AddressType::kIpv4)) return answer;
  const auto address = NameMap::AddressFor(query.name, AddressType::kIpv4);
  if (!address) return Answer{DnsCode::kServerFailure, {}};  // the map is full
  AddAddress(query, *address, answer);
  return answer;
}

std::optional<Answer> LookUpName(const Address& address, bool may_wait) {
  const auto socket_address =
      SockaddrFromAddress(address, address.type == AddressType::kIpv4 ? AF_INET : AF_INET6);
  AddressSource source = SourceOf(socket_address->get(), socket_address->length);
  if (source.kind == AddressSource::Kind::kLibc) {
    if (!may_wait) return std::nullopt;
    const Guard guard;
    const BlockingWork work;
    const NetworkWait wait(NetworkWait::For::kResolver);
    char name[NI_MAXHOST];
    if (real::getnameinfo(socket_address->get(), socket_address->length, name, sizeof name, nullptr,
                          0, NI_NAMEREQD) == 0) {
      source = {AddressSource::Kind::kKnown, name};
    }
  }
  const auto record = DnsRecord::Of(source.name, kTimeToLive);
  if (source.kind != AddressSource::Kind::kKnown || !record) {
    return Answer{DnsCode::kNoSuchName, {}};
  }
  return Answer{DnsCode::kNoError, {*record}};
}

std::optional<Answer> LookUp(const DnsQuery& query, bool may_wait) {
  if (query.code != DnsCode::kNoError) return Answer{query.code, {}};
  if ((query.rr_class != kInternet && query.rr_class != kAnyClass) ||
      query.type == DnsType::kAxfr || query.type == DnsType::kIxfr) {
    return Answer{DnsCode::kRefused, {}};
  }
  if (query.name.empty()) return Answer{};  // the root has neither addresses nor a name
  if (!query.name_is_text) return Answer{DnsCode::kNoSuchName, {}};
  if (query.type == DnsType::kPtr) {
    const auto address = DnsReverseAddress(query.name);
    return address ? LookUpName(*address, may_wait) : Answer{};
  }
  if (Asks(query, AddressType::kIpv4) || Asks(query, AddressType::kIpv6)) {
    return LookUpAddresses(query, may_wait);
  }
  return Answer{};
}

}  // namespace

std::optional<Bytes> AnswerDns(const DnsQuery& query, size_t limit, bool may_wait) {
  const std::optional<Answer> answer = LookUp(query, may_wait);
  if (!answer) return std::nullopt;
  return WriteDnsAnswer(query, answer->code, answer->records, limit);
}

}  // namespace socksify
