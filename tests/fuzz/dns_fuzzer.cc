// DNS queries: nothing is read past its end, whatever is answered is an answer to what came, fits
// where it must, and a question comes back as it was asked.
#include "lib/wire/dns.h"

#include <vector>

#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* octets, size_t count) {
  using namespace socksify;
  Dealer dealer(octets, count);
  const size_t limit = 512 + size_t{dealer.Octet()} * 16;
  const std::vector<DnsRecord> records(dealer.Octet(),
                                       DnsRecord::Of(Address::Ipv4({198, 18, 0, 1}, 0), 60));
  const Bytes message = dealer.Rest();
  const auto query = ParseDnsQuery(message);
  if (!query) return 0;
  FUZZ_CHECK(message.size() >= kDnsHeaderSize);
  const bool answerable = query->code == DnsCode::kNoError;
  const Bytes answer = WriteDnsAnswer(
      *query, query->code,
      answerable ? std::span<const DnsRecord>(records) : std::span<const DnsRecord>(), limit);
  FUZZ_CHECK(answer.size() <= limit);  // header, question and OPT always fit into 512 octets
  FUZZ_CHECK(answer[0] == message[0] && answer[1] == message[1]);
  FUZZ_CHECK((answer[2] & 0x80) != 0);
  FUZZ_CHECK(!ParseDnsQuery(answer));  // an answer is never answered
  FUZZ_CHECK(std::ranges::equal(query->question,
                                ByteView(message).subspan(kDnsHeaderSize, query->question.size())));
  if (answerable) FUZZ_CHECK(query->name.size() <= 253);
  (void)DnsReverseAddress(query->name);
  if (!answerable || !query->name_is_text) return 0;
  const auto again =
      WriteDnsQuery(query->id, query->name, static_cast<uint16_t>(query->type), query->rr_class);
  FUZZ_CHECK(again &&
             std::ranges::equal(ByteView(*again).subspan(kDnsHeaderSize), query->question));
  return 0;
}
