// An attempt for an application that has no descriptor left, which the service could work with: one
// thread with descriptors of its own (own_table.h) does everything for this connection, and another
// one, with the application's, tells it.
#ifndef SHIM_LONE_ATTEMPT_H_
#define SHIM_LONE_ATTEMPT_H_

#include <memory>

#include "shim/attempt.h"
#include "shim/connection_ref.h"

namespace socksify {

class LoneAttempt {
 public:
  // As Service::Negotiate. When it returns, the application may close `fd`.
  static void Start(ConnectionRef connection, int fd, std::unique_ptr<Attempt> attempt);

  // How many threads of the process are busy with such attempts.
  static unsigned threads();
  static void AfterForkInChild();
};

}  // namespace socksify

#endif  // SHIM_LONE_ATTEMPT_H_
