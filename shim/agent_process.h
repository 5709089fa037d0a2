// The agent: one process beside this one and its children (helper_process.h), started when the
// first association or BIND listener is wanted, that holds these (lib/io/agent_protocol.h).
#ifndef SHIM_AGENT_PROCESS_H_
#define SHIM_AGENT_PROCESS_H_

#include <memory>
#include <optional>

#include "lib/io/agent_protocol.h"

namespace socksify {

// One end of the channel of an association or a listener, a descriptor of the shim's own. The agent
// ends what it is the channel of when the last process has closed its own.
class AgentChannel {
 public:
  explicit AgentChannel(int fd);
  ~AgentChannel();
  AgentChannel(const AgentChannel&) = delete;
  AgentChannel& operator=(const AgentChannel&) = delete;

  int fd() const { return fd_; }
  static bool Is(int fd);  // that of one in this process
  bool ended() const;      // has either side shut it down, or the agent gone?

  // Blocks until the agent has answered; what it is asked to wait for is bounded by the setting for
  // one negotiation. No lock may be held unless signals are blocked. nullopt with errno: EINTR as
  // calls of the application have it, ETIMEDOUT, EPIPE when the agent has gone, or what it lacks.
  std::optional<AgentReply> Ask(const AgentRequest& request) const;

 private:
  const int fd_;
};

class AgentProcess {
 public:
  // Starts the agent unless it runs, and makes a channel with the request for it: kAssociate or
  // kListen. nullopt with errno, EACCES when the agent cannot be had, which has been reported; the
  // reply may say that the request has failed, too.
  static std::optional<AgentReply> Open(const AgentRequest& request,
                                        std::shared_ptr<AgentChannel>* channel);

  // A forked child goes on with its parent's.
  static bool IsControl(int fd);
  static void AfterForkInChild();
};

}  // namespace socksify

#endif  // SHIM_AGENT_PROCESS_H_
