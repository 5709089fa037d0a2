#include "lib/config/file.h"

#include <gtest/gtest.h>

#include "tests/unit/temporary_file.h"

namespace socksify {
namespace {

TEST(EntriesTest, KeysValuesCommentsAndBlanks) {
  auto entries = ParseEntries("f",
                              "# a comment\n"
                              "\n"
                              "server = proxy:1080\r\n"
                              "  methods=gssapi   # behind a blank\n"
                              "user = a#b\n"
                              "bypass =\n"
                              "tls-priority = NORMAL:%X = Y");
  ASSERT_TRUE(entries.ok()) << entries.status().message();
  ASSERT_EQ(entries->size(), 5u);
  EXPECT_EQ((*entries)[0].key, "server");
  EXPECT_EQ((*entries)[0].value, "proxy:1080");
  EXPECT_EQ((*entries)[0].line, 3);
  EXPECT_EQ((*entries)[1].value, "gssapi");
  EXPECT_EQ((*entries)[2].value, "a#b");
  EXPECT_EQ((*entries)[3].value, "");
  EXPECT_EQ((*entries)[4].value, "NORMAL:%X = Y");
  EXPECT_EQ((*entries)[4].line, 7);
}

TEST(EntriesTest, WrongLinesAreNamed) {
  EXPECT_EQ(ParseEntries("f", "a = b\nserver proxy\n").status().message(),
            "f:2: not a 'key = value' line");
  EXPECT_EQ(ParseEntries("f", "= x").status().message(), "f:1: not a 'key = value' line");
  EXPECT_EQ(ParseEntries("f", "a = b\n\na = c\n").status().message(),
            "f:3: a is set a second time (first in line 1)");
}

TEST(TextFileTest, MissingIsNotAnErrorAnythingElseIs) {
  TemporaryDirectory directory;
  auto missing = ReadTextFile(directory.path() + "/none");
  ASSERT_TRUE(missing.ok());
  EXPECT_FALSE(missing->has_value());
  auto through_a_file = ReadTextFile(directory.Write("plain", "x") + "/below");
  ASSERT_TRUE(through_a_file.ok());
  EXPECT_FALSE(through_a_file->has_value());
  EXPECT_FALSE(ReadTextFile(directory.path()).ok());
  EXPECT_FALSE(ReadTextFile(directory.Write("big", std::string((1 << 20) + 1, 'x'))).ok());
  auto null = ReadTextFile("/dev/null");
  ASSERT_TRUE(null.ok());
  EXPECT_EQ(**null, "");
}

TEST(TextFileTest, AFifoDoesNotHang) {
  TemporaryDirectory directory;
  const std::string fifo = directory.path() + "/fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_FALSE(ReadTextFile(fifo).ok());
  EXPECT_FALSE(ReadPasswordFile(fifo).ok());
}

TEST(PasswordFileTest, TheFirstLineIsThePassword) {
  TemporaryDirectory directory;
  for (const char* text : {"se same", "se same\n", "se same\r\n", "se same\nsecond line\n"}) {
    auto password = ReadPasswordFile(directory.Write("p", text));
    ASSERT_TRUE(password.ok()) << password.status().message();
    EXPECT_EQ(password->text(), "se same");
  }
}

TEST(PasswordFileTest, OneThatOthersCanReadOrChangeIsRefused) {
  TemporaryDirectory directory;
  for (mode_t mode : {0640, 0604, 0620, 0602, 0644, 0666}) {
    auto password = ReadPasswordFile(directory.Write("p", "sesame\n", mode));
    ASSERT_FALSE(password.ok()) << std::oct << mode;
    EXPECT_EQ(password.status().code(), Errc::kConfig);
    EXPECT_NE(password.status().message().find("chmod 600"), std::string::npos);
    EXPECT_EQ(password.status().message().find("sesame"), std::string::npos);
  }
  EXPECT_TRUE(ReadPasswordFile(directory.Write("p", "sesame\n", 0400)).ok());
}

TEST(PasswordFileTest, EmptyMissingAndTooLong) {
  TemporaryDirectory directory;
  EXPECT_FALSE(ReadPasswordFile(directory.path() + "/none").ok());
  EXPECT_FALSE(ReadPasswordFile(directory.Write("p", "")).ok());
  EXPECT_FALSE(ReadPasswordFile(directory.Write("p", "\nsecond\n")).ok());
  EXPECT_TRUE(ReadPasswordFile(directory.Write("p", std::string(255, 'x') + "\r\n")).ok());
  EXPECT_FALSE(ReadPasswordFile(directory.Write("p", std::string(256, 'x') + "\n")).ok());
  EXPECT_FALSE(ReadPasswordFile(directory.Write("p", std::string(100000, 'x'))).ok());
}

}  // namespace
}  // namespace socksify
