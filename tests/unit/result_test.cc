#include "lib/base/result.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <memory>

namespace socksify {
namespace {

TEST(StatusTest, DefaultIsSuccess) {
  Status status;
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(status.code(), Errc::kOk);
  EXPECT_EQ(status.message(), "");
}

TEST(StatusTest, CarriesCodeAndMessage) {
  Status status(Errc::kPolicy, "no");
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(status.code(), Errc::kPolicy);
  EXPECT_EQ(status.message(), "no");
}

TEST(ResultTest, HoldsAValueThatOnlyMoves) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(7);
  ASSERT_TRUE(result.ok());
  EXPECT_TRUE(result.status().ok());
  std::unique_ptr<int> taken = std::move(*result);
  EXPECT_EQ(*taken, 7);
}

TEST(ResultTest, HoldsAnError) {
  Result<int> result(Errc::kTimeout, "late");
  EXPECT_FALSE(result.ok());
  EXPECT_EQ(result.status().code(), Errc::kTimeout);
}

// protocol.md section 4: the table of replies, and what follows it.
TEST(ErrnoTest, RepliesMapAsTheProtocolPageSays) {
  EXPECT_EQ(ConnectErrno(Errc::kReplyGeneral), ECONNREFUSED);
  EXPECT_EQ(ConnectErrno(Errc::kReplyNotAllowed), EACCES);
  EXPECT_EQ(ConnectErrno(Errc::kReplyNetworkUnreachable), ENETUNREACH);
  EXPECT_EQ(ConnectErrno(Errc::kReplyHostUnreachable), EHOSTUNREACH);
  EXPECT_EQ(ConnectErrno(Errc::kReplyRefused), ECONNREFUSED);
  EXPECT_EQ(ConnectErrno(Errc::kReplyTtlExpired), ETIMEDOUT);
  EXPECT_EQ(ConnectErrno(Errc::kReplyCommandUnsupported), ECONNREFUSED);
  EXPECT_EQ(ConnectErrno(Errc::kReplyAddressUnsupported), EAFNOSUPPORT);
}

TEST(ErrnoTest, OtherErrorsMapAsTheProtocolPageSays) {
  EXPECT_EQ(ConnectErrno(Errc::kOk), 0);
  EXPECT_EQ(ConnectErrno(Errc::kAuthentication), EACCES);
  EXPECT_EQ(ConnectErrno(Errc::kPolicy), EACCES);
  EXPECT_EQ(ConnectErrno(Errc::kMalformed), EPROTO);
  EXPECT_EQ(ConnectErrno(Errc::kIntegrity), EPROTO);
  EXPECT_EQ(ConnectErrno(Errc::kTimeout), ETIMEDOUT);
  EXPECT_EQ(ConnectErrno(Errc::kNameTooLong), ENAMETOOLONG);
  EXPECT_EQ(ConnectErrno(Errc::kDescriptors), ENOBUFS);
  EXPECT_EQ(DataErrno(Errc::kOk), 0);
  EXPECT_EQ(DataErrno(Errc::kIntegrity), ECONNRESET);
  EXPECT_EQ(DataErrno(Errc::kTruncated), ECONNRESET);
}

TEST(ErrnoTest, EveryErrorHasAnErrno) {
  for (int code = 1; code <= static_cast<int>(Errc::kReplyAddressUnsupported); code++) {
    EXPECT_GT(ConnectErrno(static_cast<Errc>(code)), 0) << code;
    EXPECT_GT(DataErrno(static_cast<Errc>(code)), 0) << code;
  }
}

}  // namespace
}  // namespace socksify
