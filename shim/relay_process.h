// The relay: one process beside this one (helper_process.h), started when the first session is
// detached, that takes sessions over and moves their octets between the SOCKS server and the
// stand-ins. It ends with its last session.
#ifndef SHIM_RELAY_PROCESS_H_
#define SHIM_RELAY_PROCESS_H_

#include "lib/base/bytes.h"

namespace socksify {

class RelayProcess {
 public:
  // Starts it unless it runs. Blocks until it is up, some milliseconds the first time. False when
  // it cannot be had; the cause has been reported.
  static bool Start();

  // Hands a session over: the socket to the SOCKS server, the relay's end of the stand-in, and the
  // encoded SessionState. The descriptors stay the caller's to close. False with errno.
  static bool Take(int server, int stand_in, ByteView state);

  // In a forked child: the relay is the parent's.
  static void Forget();
};

}  // namespace socksify

#endif  // SHIM_RELAY_PROCESS_H_
