// A program of ours that runs beside this process for what one process, or one descriptor, cannot
// hold: the relay (relay_process.h) and the agent (agent_process.h).
//
// It is nobody's child to wait for, holds none of the application's descriptors, has no terminal,
// and is talked to over a SOCK_SEQPACKET pair, its standard input there.
#ifndef SHIM_HELPER_PROCESS_H_
#define SHIM_HELPER_PROCESS_H_

#include <atomic>
#include <initializer_list>
#include <string>
#include <vector>

#include "lib/base/bytes.h"
#include "shim/mutex.h"

namespace socksify {

class HelperProcess {
 public:
  // `file` lies beside this library. `environment` is asked when the program is started.
  constexpr HelperProcess(const char* file, std::vector<std::string> (*environment)())
      : file_(file), environment_(environment) {}

  // Starts it unless it runs. Blocks until it is up, some milliseconds the first time. False when
  // it cannot be had; the cause has been reported.
  bool Start();

  // Its end of the pair; -1 before Start().
  int control() const { return control_; }

  // In a forked child: the parent's is not the child's. Its end has been closed, or will be.
  void Forget();
  // In a forked child that goes on with the parent's.
  void AfterFork() { starting_.Reinitialise(); }

 private:
  const char* const file_;
  std::vector<std::string> (*const environment_)();
  Mutex starting_;                // one thread starts it; held while that takes
  std::atomic<int> control_{-1};  // to the program
};

// Sends one message with descriptors, which stay the caller's. False with errno.
bool SendWithDescriptors(int socket, ByteView octets, std::initializer_list<int> descriptors);

}  // namespace socksify

#endif  // SHIM_HELPER_PROCESS_H_
