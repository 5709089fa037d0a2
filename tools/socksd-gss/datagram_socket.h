// One UDP socket on a libuv loop, talking to anybody. Datagrams are read many at a time into
// buffers that the thread's sockets share; what the kernel has no room for is lost, as on any way.
// For the loop's thread only.
#ifndef TOOLS_SOCKSD_GSS_DATAGRAM_SOCKET_H_
#define TOOLS_SOCKSD_GSS_DATAGRAM_SOCKET_H_

#include <sys/socket.h>
#include <uv.h>

#include <memory>

#include "lib/base/bytes.h"
#include "lib/wire/address.h"
#include "tools/loop/watch.h"

namespace socksify {

class DatagramSocketOwner {
 public:
  // The octets may be written to, and are valid during the call. The socket must outlive it.
  virtual void OnDatagram(const sockaddr_storage& from, ByteSpan datagram) = 0;

 protected:
  ~DatagramSocketOwner() = default;
};

class DatagramSocket {
 public:
  // Bound to `local`, whose port is 0 for any. Null and errno when that cannot be. IPv6 is IPv6
  // alone.
  static std::unique_ptr<DatagramSocket> Open(uv_loop_t* loop, DatagramSocketOwner* owner,
                                              const sockaddr_storage& local);
  ~DatagramSocket();
  DatagramSocket(const DatagramSocket&) = delete;
  DatagramSocket& operator=(const DatagramSocket&) = delete;

  // 0, or the errno for which the datagram is lost.
  int Send(const sockaddr_storage& to, ByteView datagram);

  // Takes what has come by now, not waiting for the loop. Bounded: who still sends is not waited
  // for.
  void ReceiveAll();

  const Address& address() const { return address_; }

 private:
  DatagramSocket(uv_loop_t* loop, DatagramSocketOwner* owner, int fd);
  bool Receive();

  DatagramSocketOwner* const owner_;
  const int fd_;
  Address address_;
  Watch watch_;
};

}  // namespace socksify

#endif  // TOOLS_SOCKSD_GSS_DATAGRAM_SOCKET_H_
