// Where a session lives. A forked child inherits descriptors of sessions whose state goes on in the
// process that made them. When the child uses one it asks that process, its home, which detaches
// the session and sends back the stand-in's descriptor: then both have a plain socket, and go on
// with it as after any fork.
//
// A home is known by the descriptor to ask on, one end of a socket pair. Children have it from
// fork; it ends with the home.
#ifndef SHIM_HOME_H_
#define SHIM_HOME_H_

#include <cstdint>

namespace socksify {

class Connection;

class Home {
 public:
  enum class Answer : uint8_t {
    kStandIn,  // here it is
    kGone,     // the home, or its connection, is no more
    kRefused,  // the session cannot be detached
  };

  // Before a fork of any kind: makes the channel, if there are sessions, and has the service listen
  // to it.
  static void Open();

  // The descriptor children ask on; -1 while there is none.
  static int door();

  // In a child: asks for the stand-in of a connection. Blocks until the home has answered.
  // `*stand_in` is a new descriptor, the caller's to close.
  static Answer Ask(int door, const Connection* connection, uint32_t generation, int* stand_in);

  // For the service: answers one child that asks on `listener`. Does not block for long.
  static void AnswerOne(int listener);

  // In a forked child, before its own descriptors are closed: the parent's door.
  static int Leave();
  static void AfterForkInChild();

  // The process ends, or its program does: waits for the answer under way, since a session
  // would be lost half-way. Who asks from now on finds nobody at home. GoOn: it has not ended.
  static void StopAnswering();
  static void GoOn();
};

}  // namespace socksify

#endif  // SHIM_HOME_H_
