// epoll registrations of the sockets that are ours or may become so.
//
// The TCP connection to the SOCKS server is writable long before the negotiation has ended, and
// epoll asks the kernel. So while a socket is kConnecting the kernel does not have its
// registrations: they are kept here, whether they were made before connect() or since, and given
// back at the end, when EPOLL_CTL_ADD itself wakes whoever waits.
#ifndef SHIM_REGISTRATIONS_H_
#define SHIM_REGISTRATIONS_H_

#include <sys/epoll.h>

#include "shim/connection_ref.h"

namespace socksify {

class Registrations {
 public:
  // The interposed epoll_ctl(2), errno included.
  static int Control(int epoll, int operation, int fd, epoll_event* event);

  // Takes out of what epoll_wait(2) has told what is not true yet: the first octets of a frame make
  // the kernel's socket readable before plaintext can be delivered. Programs that register a
  // descriptor as the event's data are understood; others see that read(2) says EAGAIN. Returns how
  // many events are left.
  static int Confirm(int epoll, epoll_event* events, int count);

  // The connection on `fd` begins: takes the registrations of `fd` out of the kernel.
  static void Hold(int fd, Connection* connection);

  // The connection's attempt has ended: calls `change_phase` and, when that says true, gives
  // everything back, as one step.
  template <typename Function>
  static void Release(Connection* connection, Function change_phase) {
    Lock();
    if (change_phase()) GiveBack(connection);
    Unlock();
  }

  // Another socket takes the place of the connection's: takes the registrations out of the kernel,
  // calls `replace`, and registers the new one, as one step.
  template <typename Function>
  static void Move(Connection* connection, Function replace) {
    Lock();
    TakeOut(connection);
    replace();
    GiveBack(connection);
    Unlock();
  }

  // The connection ended while it was being connected.
  static void Forget(Connection* connection);

  // The last descriptor of a connection goes, while the shim may still hold its socket: takes what
  // is registered for it out of the kernel.
  static void Withdraw(int fd);

  // A descriptor of the application goes: its registrations, and those with it as the epoll
  // instance.
  static void DescriptorGone(int fd);

  static void BeforeFork() { Lock(); }
  static void AfterFork(bool in_child);

 private:
  static void Lock();
  static void Unlock();
  static void TakeOut(Connection* connection, int fd = -1);
  static void GiveBack(Connection* connection);
};

}  // namespace socksify

#endif  // SHIM_REGISTRATIONS_H_
