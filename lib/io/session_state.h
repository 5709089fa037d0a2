// A client's session on its way from the process that negotiated it to the relay that goes on with
// it (tools/socksify-gss-relay), as octets. They are secret: whoever holds them wipes them.
#ifndef LIB_IO_SESSION_STATE_H_
#define LIB_IO_SESSION_STATE_H_

#include "lib/base/bytes.h"
#include "lib/base/result.h"

namespace socksify {

struct SessionState {
  Bytes layer;                   // of SecurityLayer::Export()
  Bytes plaintext;               // opened, not yet delivered to the application
  Bytes received;                // taken out of the socket, not opened: the beginning of a frame
  Bytes unsent;                  // sealed, not yet sent to the server: goes out first
  bool sending_ended = false;    // a FIN is due behind `unsent`; the application sends no more
  bool receiving_ended = false;  // it receives no more: what comes, and how it ends, is nothing
};

Bytes EncodeSessionState(const SessionState& state);

// `octets` may be anything; kMalformed unless they are one whole state.
Result<SessionState> DecodeSessionState(ByteView octets);

}  // namespace socksify

#endif  // LIB_IO_SESSION_STATE_H_
