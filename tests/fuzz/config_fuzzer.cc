// What people write: bypass lists, the configuration file, and the value of every setting.
#include <string>

#include "lib/config/bypass.h"
#include "lib/config/file.h"
#include "lib/config/loader.h"
#include "lib/config/text.h"
#include "tests/fuzz/fuzz.h"

namespace socksify {
namespace {

void TryBypass(const std::string& text) {
  auto rules = BypassRules::Parse(text);
  if (!rules.ok()) {
    FUZZ_CHECK(rules.status().code() == Errc::kConfig);
    return;
  }
  const Address addresses[] = {Address::Name("www.example.com", 80),
                               Address::Ipv4({127, 0, 0, 1}, 443), Address::Ipv6({0x20, 1}, 22)};
  (void)rules->MentionsName(text);
  const std::string written = rules->ToString();
  auto again = BypassRules::Parse(written);
  FUZZ_CHECK(again.ok());
  FUZZ_CHECK(again->ToString() == written);
  for (const Address& address : addresses) {
    FUZZ_CHECK(again->Matches(address) == rules->Matches(address));
  }
}

void TryEntries(const std::string& text) {
  auto entries = ParseEntries("file", text);
  if (!entries.ok()) return;
  for (const FileEntry& entry : *entries) FUZZ_CHECK(!entry.key.empty() && entry.line >= 1);
}

void TryText(const std::string& text) {
  for (std::string_view item : SplitList(text)) FUZZ_CHECK(!item.empty() && Trim(item) == item);
  if (auto number = ParseNumber(text, 70000)) FUZZ_CHECK(*number <= 70000);
  if (auto port = ParsePort(text)) FUZZ_CHECK(*port != 0);
  if (auto ip = ParseIp(text)) FUZZ_CHECK(ip->type != AddressType::kName && !IsHostName(text));
  FUZZ_CHECK(LowerCase(LowerCase(text)) == LowerCase(text));
}

// The settings that name files are left out: which files there are is not the fuzzer's business.
void TrySetting(uint8_t choice, const std::string& value) {
  const auto settings = Settings();
  const Setting& setting = settings[choice % settings.size()];
  const std::string_view option = setting.option;
  if (option.find("file") != option.npos || option.find("config") != option.npos) return;
  ConfigLoader loader([](const char*) -> const char* { return nullptr; });
  loader.SetOption(setting, value);
  auto config = loader.Load();
  if (!config.ok()) {
    FUZZ_CHECK(config.status().code() == Errc::kConfig);
    return;
  }
  (void)CheckUsable(*config);
  (void)ExportVariables(*config);
}

}  // namespace
}  // namespace socksify

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* octets, size_t count) {
  using namespace socksify;
  Dealer dealer(octets, count);
  const uint8_t choice = dealer.Octet();
  const Bytes rest = dealer.Rest();
  const std::string text(AsText(rest));
  TryBypass(text);
  TryEntries(text);
  TryText(text);
  TrySetting(choice, text);
  return 0;
}
