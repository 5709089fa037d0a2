// One TCP connection on a libuv loop: reads into a buffer that the whole loop shares, queues what
// the kernel does not take, and reports to one owner.
//
// Owned through StreamPtr; letting go of it closes the connection, and no report comes after that.
// For the loop's thread only. The owner may let go of the stream inside any report.
#ifndef TOOLS_LOOP_STREAM_H_
#define TOOLS_LOOP_STREAM_H_

#include <uv.h>

#include <memory>
#include <span>
#include <vector>

#include "lib/base/bytes.h"
#include "lib/base/pieces.h"
#include "lib/wire/address.h"

namespace socksify {

class Stream;
class Crew;
struct LoopBuffers;

class StreamOwner {
 public:
  // What is read next is to come behind these, which OnOctets gets, too; `most` behind them.
  struct Reading {
    ByteView head;
    size_t most;
  };
  virtual Reading NextReading(Stream*) { return {{}, kOnce}; }
  virtual void OnOctets(Stream* stream, ByteSpan octets) = 0;  // valid during the call
  virtual void OnEnd(Stream* stream, int error) = 0;  // nothing more to read; 0: in order (FIN)
  virtual void OnWritten(Stream* stream) = 0;         // the queue has become shorter
  virtual void OnWriteError(Stream* stream, int error) = 0;  // once; nothing can be sent any more
  virtual void OnShutdown(Stream* stream) = 0;               // what was queued and the FIN are sent

  static constexpr size_t kOnce = 65536;

 protected:
  ~StreamOwner() = default;
};

struct StreamCloser {
  void operator()(Stream* stream) const;
};
using StreamPtr = std::unique_ptr<Stream, StreamCloser>;

class Stream {
 public:
  // `loop->data` must be the loop's LoopBuffers. Null when the loop takes no more handles.
  static StreamPtr New(uv_loop_t* loop);
  // The same for a connection that there is. It is the stream's then; null: still the caller's.
  static StreamPtr Open(uv_loop_t* loop, int fd);

  void set_owner(StreamOwner* owner) { owner_ = owner; }
  uv_tcp_t* handle() { return &tcp_; }

  // For an established connection: TCP_NODELAY, since frames and replies go out whole, and
  // keepalive, so that a peer that is gone does not hold a session for ever.
  void Tune();

  void StartReading();
  void StopReading();
  bool reading() const { return reading_; }

  // Sends the pieces, none of them empty, or queues a copy and later reports OnWritten. Never
  // reports from inside.
  void Write(std::span<const ByteView> pieces);
  void Write(ByteView octets) {
    if (!octets.empty()) Write({&octets, 1});
  }
  size_t queued() const { return uv_stream_get_write_queue_size(stream()); }

  // What the peer has not yet acknowledged, in the queue and in the kernel.
  size_t unsent() const;

  // What is written last waits for the FIN.
  void Cork();

  LoopBuffers& buffers() const { return *static_cast<LoopBuffers*>(tcp_.loop->data); }

  // FIN behind what is queued.
  void Shutdown();

  // The peer is to see a reset instead of a FIN when the stream is let go of, or the process ends.
  void ResetOnClose(bool reset);

  Address LocalAddress() const;
  sockaddr_storage LocalSocketAddress() const;  // with what an Address leaves out
  Address PeerAddress() const;

 private:
  friend struct StreamCloser;
  struct Pending;  // a write in the queue

  const uv_stream_t* stream() const { return reinterpret_cast<const uv_stream_t*>(&tcp_); }
  uv_stream_t* stream() { return reinterpret_cast<uv_stream_t*>(&tcp_); }
  void Close();
  void Queue(std::span<const ByteView> pieces, size_t done);
  void MakeRoom(uv_buf_t* buffer);
  void OnRead(ssize_t count);
  int PendingError() const;

  uv_tcp_t tcp_;
  uv_shutdown_t shutdown_;
  StreamOwner* owner_ = nullptr;
  size_t head_ = 0;  // in the loop's buffer, before what is being read
  bool reading_ = false;
  bool write_failed_ = false;
};

// What all streams of a loop work in, one after the other: an idle session needs no buffer.
struct LoopBuffers {
  static constexpr size_t kSize = 5 * 65536;  // the beginning of a frame, and a good deal behind it
  Crew* crew = nullptr;                       // that helps with the sealing, if there is one
  uint8_t octets[kSize];                      // read
  Pieces opened;                              // of these
  std::vector<Bytes> sealed;                  // a frame each
};

Address AddressOf(const sockaddr* address);              // of AF_INET or AF_INET6, else 0.0.0.0:0
sockaddr_storage SocketAddress(const Address& address);  // of an IP address, not a name
void SetPort(sockaddr_storage* address, uint16_t port);  // of AF_INET or AF_INET6

}  // namespace socksify

#endif  // TOOLS_LOOP_STREAM_H_
