// What comes over the control socket: one octet with three descriptors is a session.
#ifndef TOOLS_SOCKSIFY_GSS_RELAY_HANDOVER_H_
#define TOOLS_SOCKSIFY_GSS_RELAY_HANDOVER_H_

#include <unistd.h>

#include <optional>
#include <utility>

#include "lib/base/bytes.h"

namespace socksify {

// Owns a descriptor; -1 is none.
class UniqueFd {
 public:
  explicit UniqueFd(int fd = -1) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.Release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~UniqueFd() {
    if (fd_ != -1) (void)close(fd_);
  }

  int get() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

struct Handover {
  UniqueFd server;  // the TCP socket to the SOCKS server
  UniqueFd plain;   // the TCP socket whose other end the application has
  UniqueFd state;   // a file with the octets of a SessionState
};

// Is it a socket of AF_UNIX and SOCK_SEQPACKET?
bool IsControlSocket(int fd);

// Takes the next message off the control socket without blocking. nullopt: it is no handover, and
// what came with it is closed; or there is none, and `*more` is set to false; or never again will
// be one, and `*ended` to true as well.
std::optional<Handover> ReceiveHandover(int control, bool* more, bool* ended);

// All of a regular file (a memfd), from its beginning; empty if it cannot be read or is absurdly
// long.
Bytes ReadAll(int fd);

// Undoes what the application and the shim have set on a socket that would be felt here: low-water
// mark, SIGIO, lingering. Closed from now on without more ado, it is reset.
void Prepare(int socket);

}  // namespace socksify

#endif  // TOOLS_SOCKSIFY_GSS_RELAY_HANDOVER_H_
