#include "lib/base/log.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

namespace socksify {
namespace {

std::vector<std::string> g_lines;  // one per write
int g_fd = -1;

long Capture(int fd, const void* octets, size_t count) {
  g_fd = fd;
  g_lines.emplace_back(static_cast<const char*>(octets), count);
  errno = EIO;  // as a failing write leaves it
  return -1;
}

class LogTest : public testing::Test {
 protected:
  void SetUp() override { g_lines.clear(); }
  void TearDown() override { Log::Open("test", LogLevel::kQuiet, -1, Capture); }
};

TEST_F(LogTest, OneWritePerLineWithTheName) {
  Log::Open("tool", LogLevel::kWarn, 9, Capture);
  Log::Warn("something");
  ASSERT_EQ(g_lines.size(), 1u);
  EXPECT_EQ(g_lines[0], "tool: something\n");
  EXPECT_EQ(g_fd, 9);
}

TEST_F(LogTest, LevelsFilter) {
  const LogLevel levels[] = {LogLevel::kQuiet, LogLevel::kError, LogLevel::kWarn, LogLevel::kInfo,
                             LogLevel::kDebug};
  for (LogLevel level : levels) {
    g_lines.clear();
    Log::Open("tool", level, 2, Capture);
    Log::Error("e");
    Log::Warn("w");
    Log::Info("i");
    Log::Debug("d");
    Log::Write(LogLevel::kQuiet, "never");
    EXPECT_EQ(g_lines.size(), static_cast<size_t>(level));
  }
}

TEST_F(LogTest, ControlCharactersNeverReachTheTerminal) {
  Log::Open("tool", LogLevel::kDebug, 2, Capture);
  for (int c = 0; c < 0x20; c++) Log::Info(std::string("a") + static_cast<char>(c) + "b");
  Log::Info(
      "a\x7f"
      "b");
  for (const std::string& line : g_lines) EXPECT_EQ(line, "tool: a b\n");
}

TEST_F(LogTest, LongMessagesAreCutAndStayOneLine) {
  Log::Open("tool", LogLevel::kDebug, 2, Capture);
  for (size_t length : {1000u, 1016u, 1017u, 1018u, 1023u, 1024u, 1025u, 100000u}) {
    g_lines.clear();
    Log::Info(std::string(length, 'x'));
    ASSERT_EQ(g_lines.size(), 1u);
    EXPECT_LE(g_lines[0].size(), 1024u);
    EXPECT_EQ(std::ranges::count(g_lines[0], '\n'), 1);
    EXPECT_TRUE(g_lines[0].ends_with("x\n"));
  }
}

TEST_F(LogTest, LeavesErrnoAlone) {
  Log::Open("tool", LogLevel::kDebug, 2, Capture);
  errno = ENOENT;
  Log::Error("x");
  EXPECT_EQ(errno, ENOENT);
}

}  // namespace
}  // namespace socksify
