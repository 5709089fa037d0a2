#include "lib/security/users.h"

#include <crypt.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <utility>

namespace socksify {
namespace {

constexpr std::string_view kClear = "$clear$";
constexpr auto kHashes =
    std::to_array<std::string_view>({"$y$", "$gy$", "$7$", "$2b$", "$2y$", "$6$", "$5$"});

// Compares in a time that depends on the lengths alone.
bool SameOctets(ByteView a, ByteView b) {
  uint8_t difference = a.size() == b.size() ? 0 : 1;
  for (size_t i = 0; i < a.size() && !b.empty(); ++i) {
    difference = static_cast<uint8_t>(difference | (a[i] ^ b[i % b.size()]));
  }
  return difference == 0;
}

bool MatchesHash(ByteView password, const Secret& hash) {
  // crypt(3) takes strings: one that ends early must not stand for a longer password.
  const bool whole = std::ranges::count(password, 0) == 0;
  const Secret phrase(std::string(AsText(password)) + '\0');
  const Secret setting(std::string(hash.text()) + '\0');
  auto data = std::make_unique<crypt_data>();  // 32 KB
  const char* made = crypt_r(phrase.text().data(), setting.text().data(), data.get());
  const bool same = made != nullptr && SameOctets(AsBytes(made), hash.octets());
  Wipe({reinterpret_cast<uint8_t*>(data.get()), sizeof *data});
  return same && whole;
}

}  // namespace

Result<StoredPassword> ParseStoredPassword(std::string_view text) {
  if (text.starts_with(kClear)) {
    text.remove_prefix(kClear.size());
  } else if (text.starts_with('$')) {
    const bool known =
        std::ranges::any_of(kHashes, [&](std::string_view each) { return text.starts_with(each); });
    // $method$parameters$hash: a setting without a hash would be nobody's password.
    const bool whole = std::ranges::count(text, '$') >= 3 && !text.ends_with('$');
    const std::string setting(text);
    if (!known || !whole || setting.size() >= CRYPT_OUTPUT_SIZE ||
        crypt_checksalt(setting.c_str()) == CRYPT_SALT_INVALID) {
      return {Errc::kConfig,
              "not a hash that this server takes; before a clear password that starts with $ goes "
              "$clear$"};
    }
    return StoredPassword{Secret(text), /*hashed=*/true};
  }
  if (text.empty()) return {Errc::kConfig, "no password"};
  return StoredPassword{Secret(text), /*hashed=*/false};
}

UserDatabase::UserDatabase(std::map<std::string, StoredPassword> users) : users_(std::move(users)) {
  for (const auto& [name, password] : users_) {
    if (password.hashed) decoy_ = password.text;
  }
}

bool UserDatabase::VerifyPassword(const std::string& name, ByteView password) const {
  const auto known = users_.find(name);
  const bool hashed = known != users_.end() && known->second.hashed;
  bool same = false;
  if (hashes()) same = MatchesHash(password, hashed ? known->second.text : decoy_);
  if (hashed) return same;
  // Nobody's password is compared with itself.
  const ByteView expected = known == users_.end() ? password : known->second.text.octets();
  return SameOctets(password, expected) && known != users_.end();
}

const Secret* UserDatabase::ClearPassword(const std::string& name) const {
  const auto known = users_.find(name);
  return known == users_.end() || known->second.hashed ? nullptr : &known->second.text;
}

std::vector<std::string> UserDatabase::HashedUsers() const {
  std::vector<std::string> names;
  for (const auto& [name, password] : users_) {
    if (password.hashed) names.push_back(name);
  }
  return names;
}

}  // namespace socksify
