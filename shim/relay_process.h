// The relay: one process beside this one (helper_process.h), started when the first session is
// detached, that takes sessions over and moves their octets between the SOCKS server and the
// stand-ins. It ends with its last session.
#ifndef SHIM_RELAY_PROCESS_H_
#define SHIM_RELAY_PROCESS_H_

#include "lib/base/bytes.h"

namespace socksify {

class RelayProcess {
 public:
  // What carries one session's state to the relay, without a file: to those the application's
  // RLIMIT_FSIZE applies. To be had before a session is given up.
  class Channel {
   public:
    Channel();  // not ok(): errno
    ~Channel();
    Channel(const Channel&) = delete;
    Channel& operator=(const Channel&) = delete;

    bool ok() const { return ours_ >= 0 && its_ >= 0; }

   private:
    friend class RelayProcess;
    int ours_ = -1, its_ = -1;
  };

  // Starts it unless it runs. Blocks until it is up, some milliseconds the first time. False when
  // it cannot be had; the cause has been reported.
  static bool Start();

  // Hands a session over: the socket to the SOCKS server, the relay's end of the stand-in, and the
  // encoded SessionState. The descriptors stay the caller's to close. Once for a channel. False,
  // and the session is lost, with errno.
  static bool Take(int server, int stand_in, const Channel& channel, ByteView state);

  // In a forked child: the relay is the parent's.
  static void Forget();
};

}  // namespace socksify

#endif  // SHIM_RELAY_PROCESS_H_
