// The requests of the preloaded library (lib/io/agent_protocol.h), on the control socket and on
// channels.
#ifndef TOOLS_SOCKSIFY_GSS_AGENT_REQUEST_H_
#define TOOLS_SOCKSIFY_GSS_AGENT_REQUEST_H_

#include <uv.h>

#include <utility>

#include "lib/io/agent_protocol.h"
#include "tools/helper/unique_fd.h"
#include "tools/loop/watch.h"

namespace socksify {

// Where the one reply to a request goes. Closed without one, it says that there will be none.
class ReplyPipe {
 public:
  explicit ReplyPipe(UniqueFd pipe) : pipe_(std::move(pipe)) {}

  // Never blocks: who has filled the pipe gets no reply.
  void Send(const AgentReply& reply);

 private:
  UniqueFd pipe_;
};

struct IncomingRequest {
  AgentRequest request;
  ReplyPipe reply;
  UniqueFd channel;  // if it brings one
};

class RequestOwner {
 public:
  virtual void OnRequest(IncomingRequest incoming) = 0;  // does not let go of the socket
  virtual void OnRequestsEnd() = 0;  // all who could ask have closed; may let go of it

 protected:
  ~RequestOwner() = default;
};

// Watches a socket that requests come over. What is no request is passed over, and what came with
// it is closed. For the loop's thread only.
class RequestSocket {
 public:
  // `owner` outlives it.
  RequestSocket(uv_loop_t* loop, RequestOwner* owner, UniqueFd socket);

  // False: it cannot be watched, being no such socket, for one.
  bool Start();

 private:
  void OnReadable();

  RequestOwner* const owner_;
  const UniqueFd socket_;
  Watch watch_;
};

}  // namespace socksify

#endif  // TOOLS_SOCKSIFY_GSS_AGENT_REQUEST_H_
