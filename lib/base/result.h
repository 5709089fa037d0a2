// Errors as values. `Status` is success or one error; `Result<T>` is a T or one error.
//
// An error has a code, which the table in result.cc maps to an errno (protocol.md, section 4), and
// a message for people: what happened, with whom, what to do. No message ever holds a secret.
#ifndef LIB_BASE_RESULT_H_
#define LIB_BASE_RESULT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace socksify {

enum class Errc : uint8_t {
  kOk,
  kMalformed,     // the peer's octets are not the protocol
  kIntegrity,     // a frame failed its check: altered, replayed, missing, out of order, wrong level
  kTruncated,     // the stream ended inside a frame
  kServerClosed,  // the server closed during the negotiation
  kCredentials,   // no usable credentials of our own (no ticket, expired, no keytab)
  kAuthentication,  // the peer refused ours, or failed to prove its own identity
  kPolicy,          // the peer's choice is not one our policy accepts
  kNetwork,         // the server cannot be reached
  kTimeout,         // the deadline passed
  kConfig,          // a setting is wrong or missing
  kNameTooLong,     // a destination name over 255 octets
  kUnsupported,     // we do not do that
  kDescriptors,     // there are no descriptors left
  kReplyGeneral,    // the replies of RFC 1928 section 6, REP 01 to 08
  kReplyNotAllowed,
  kReplyNetworkUnreachable,
  kReplyHostUnreachable,
  kReplyRefused,
  kReplyTtlExpired,
  kReplyCommandUnsupported,
  kReplyAddressUnsupported,
};

// The errno a connect() reports for an error of the negotiation.
int ConnectErrno(Errc code);

// The errno a read or write reports for an error of an established session.
int DataErrno(Errc code);

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Errc code, std::string message) : code_(code), message_(std::move(message)) {}

  bool ok() const { return code_ == Errc::kOk; }
  Errc code() const { return code_; }
  const std::string& message() const { return message_; }

 private:
  Errc code_ = Errc::kOk;
  std::string message_;
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}        // NOLINT: implicit, as a return
  Result(Status error) : status_(std::move(error)) {}  // NOLINT: must not be ok()
  Result(Errc code, std::string message) : status_(code, std::move(message)) {}

  bool ok() const { return value_.has_value(); }
  const Status& status() const { return status_; }
  T& operator*() { return *value_; }
  const T& operator*() const { return *value_; }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }

 private:
  std::optional<T> value_;
  Status status_;
};

}  // namespace socksify

#endif  // LIB_BASE_RESULT_H_
