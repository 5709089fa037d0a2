// What a DNS query is answered, from what this run knows of names; no query leaves the machine.
//
// A and PTR are answered from the NameMap, /etc/hosts and, for bypassed names, libc's resolver.
// AAAA has no data where an address stands for the name: getaddrinfo(3) gives IPv4 there, too,
// unless the program wants nothing else, and a client that races both families would make two
// connections of one. Other types have no data: what they say lies behind the server, which cannot
// be asked (SOCKS has no way to), and "no such name" would deny the address as well.
#ifndef SHIM_DNS_ANSWERS_H_
#define SHIM_DNS_ANSWERS_H_

#include <optional>

#include "lib/base/bytes.h"
#include "lib/wire/dns.h"

namespace socksify {

// The answer in at most `limit` octets. May wait for the local resolver, if the name is bypassed;
// nullopt instead unless `may_wait`.
std::optional<Bytes> AnswerDns(const DnsQuery& query, size_t limit, bool may_wait);

}  // namespace socksify

#endif  // SHIM_DNS_ANSWERS_H_
