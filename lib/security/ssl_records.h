// TLS records on their way between plaintext and wire, under keys that both sides have. Private to
// security/ssl_*.
//
// Two do this: SslSession, where GnuTLS does everything from the handshake on; and SslTraffic,
// which goes on in another process with the keys that were exported (GnuTLS cannot import a
// session).
#ifndef LIB_SECURITY_SSL_RECORDS_H_
#define LIB_SECURITY_SSL_RECORDS_H_

#include "lib/base/bytes.h"
#include "lib/base/result.h"

namespace socksify {

inline constexpr uint8_t kRecordChangeCipherSpec = 20;  // RFC 8446 section 5.1
inline constexpr uint8_t kRecordAlert = 21;
inline constexpr uint8_t kRecordHandshake = 22;
inline constexpr uint8_t kRecordApplicationData = 23;

inline constexpr size_t kRecordHeaderSize = 5;
inline constexpr size_t kMaxRecordPlaintext = 16384;
// RFC 5246 section 6.2.3; TLS 1.3 has less.
inline constexpr size_t kMaxRecordSize = kRecordHeaderSize + kMaxRecordPlaintext + 2048;

// The size of the record that starts at `head`, 0 while its header is not whole. kMalformed: no
// record of TLS.
Result<size_t> RecordSize(ByteView head);

// One call at a time.
class SslRecords {
 public:
  virtual ~SslRecords() = default;

  // Appends `plain` in as many records as it needs, behind what else is due (an update of keys).
  virtual Status Seal(ByteView plain, Bytes* out) = 0;

  // Opens one whole record, in place. Returns the plaintext in it; none if it held something else.
  virtual Result<ByteSpan> Open(ByteSpan record) = 0;

  virtual Status CloseNotify(Bytes* out) = 0;
  virtual bool peer_closed() const = 0;

  virtual size_t max_plaintext() const = 0;  // of one record that is sent
  virtual size_t overhead() const = 0;       // what a record sent is longer than its plaintext

  // What NewSslTraffic() goes on with, appended to `state`; `out` has what must go before
  // everything else. kUnsupported: not these.
  virtual Status Export(Bytes* state, Bytes* out) = 0;
};

}  // namespace socksify

#endif  // LIB_SECURITY_SSL_RECORDS_H_
