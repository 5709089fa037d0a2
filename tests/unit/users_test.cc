// Who is let in by a password: kept as it is, or as a hash.
#include "lib/security/users.h"

#include <crypt.h>
#include <gtest/gtest.h>

#include <string>

namespace socksify {
namespace {

// The cheapest hash of each method, by libcrypt itself.
std::string HashOf(const char* method, unsigned long cost, const char* password) {
  char setting[CRYPT_GENSALT_OUTPUT_SIZE];
  EXPECT_NE(crypt_gensalt_rn(method, cost, "0123456789abcdef", 16, setting, sizeof setting),
            nullptr);
  crypt_data data = {};
  return crypt_r(password, setting, &data);
}

StoredPassword Stored(std::string_view text) {
  auto password = ParseStoredPassword(text);
  EXPECT_TRUE(password.ok()) << password.status().message();
  return password.ok() ? *password : StoredPassword();
}

TEST(UsersTest, ClearPasswords) {
  const UserDatabase users({{"alice", Stored("wonderland")}, {"bob", Stored("b")}});
  EXPECT_FALSE(users.hashes());
  EXPECT_TRUE(users.VerifyPassword("alice", AsBytes("wonderland")));
  EXPECT_TRUE(users.VerifyPassword("bob", AsBytes("b")));
  for (const char* wrong : {"", "w", "wonderlanD", "wonderlandw", "wonderlandwonderland", "b"}) {
    EXPECT_FALSE(users.VerifyPassword("alice", AsBytes(wrong))) << wrong;
  }
  EXPECT_FALSE(users.VerifyPassword("bob", AsBytes("bb")));
  EXPECT_FALSE(users.VerifyPassword("Alice", AsBytes("wonderland")));
  EXPECT_FALSE(users.VerifyPassword("", AsBytes("")));
  EXPECT_FALSE(UserDatabase().VerifyPassword("alice", AsBytes("")));
  ASSERT_NE(users.ClearPassword("alice"), nullptr);
  EXPECT_EQ(users.ClearPassword("alice")->text(), "wonderland");
  EXPECT_EQ(users.ClearPassword("carol"), nullptr);
}

TEST(UsersTest, HashesOfEveryMethodThatIsTaken) {
  const std::pair<const char*, unsigned long> kMethods[] = {
      {"$y$", 1}, {"$gy$", 1}, {"$7$", 6}, {"$2b$", 4}, {"$2y$", 4}, {"$6$", 1000}, {"$5$", 1000}};
  for (const auto& [method, cost] : kMethods) {
    const std::string hash = HashOf(method, cost, "wonderland");
    ASSERT_TRUE(hash.starts_with(method)) << hash;
    const UserDatabase users({{"alice", Stored(hash)}});
    EXPECT_TRUE(users.hashes());
    EXPECT_TRUE(users.VerifyPassword("alice", AsBytes("wonderland"))) << method;
    EXPECT_FALSE(users.VerifyPassword("alice", AsBytes("wonderlanD"))) << method;
  }
}

TEST(UsersTest, HashedAndClearPasswordsBesideEachOther) {
  const std::string hash = HashOf("$6$", 1000, "wonderland");
  const UserDatabase users({{"alice", Stored(hash)}, {"bob", Stored("b")}});
  EXPECT_FALSE(users.VerifyPassword("alice", AsBytes("")));
  EXPECT_FALSE(users.VerifyPassword("alice", AsBytes(hash))) << "the hash is no password";
  EXPECT_FALSE(users.VerifyPassword("alice", AsBytes(std::string_view("wonderland\0x", 12))));
  EXPECT_FALSE(users.VerifyPassword("carol", AsBytes("wonderland"))) << "the decoy is nobody's";
  EXPECT_TRUE(users.VerifyPassword("bob", AsBytes("b")));
  EXPECT_FALSE(users.VerifyPassword("bob", AsBytes("wonderland")));
  EXPECT_EQ(users.ClearPassword("alice"), nullptr);
  EXPECT_NE(users.ClearPassword("bob"), nullptr);
}

TEST(UsersTest, AHashThatIsCutShortIsNobodysPassword) {
  const std::string hash = HashOf("$6$", 1000, "wonderland");
  for (size_t length : {hash.size() - 1, hash.rfind('$') + 1, hash.rfind('$')}) {
    auto password = ParseStoredPassword(hash.substr(0, length));
    if (!password.ok()) continue;
    EXPECT_FALSE(
        UserDatabase({{"alice", *password}}).VerifyPassword("alice", AsBytes("wonderland")));
  }
}

TEST(UsersTest, PasswordsThatStartWithADollar) {
  for (const char* text : {"$", "$ecret", "$1$abcdefgh$abcdefghijklmnopqrstuv", "$md5$x", "$y$",
                           "$Y$j9T$x$y", "$6", "$6$salt$"}) {
    auto password = ParseStoredPassword(text);
    EXPECT_EQ(password.status().code(), Errc::kConfig) << text;
    EXPECT_EQ(password.status().message().find("ecret"), std::string::npos);
    const UserDatabase users({{"alice", Stored(std::string("$clear$") + text)}});
    EXPECT_FALSE(users.hashes());
    EXPECT_TRUE(users.VerifyPassword("alice", AsBytes(text)));
  }
  EXPECT_FALSE(ParseStoredPassword("").ok());
  EXPECT_FALSE(ParseStoredPassword("$clear$").ok());
  EXPECT_EQ(Stored("$clear$$clear$").text.text(), "$clear$");
  EXPECT_EQ(Stored("a$6$b").text.text(), "a$6$b");
}

}  // namespace
}  // namespace socksify
