// What the preloaded library asks of the agent (tools/socksify-gss-agent), and what it answers: the
// process beside an application that holds what one process or descriptor cannot, UDP associations
// and the listeners of BIND.
//
// The control socket is SOCK_SEQPACKET; children have it from fork. A request is one message: the
// encoded AgentRequest, and behind it descriptors (SCM_RIGHTS), the first of them the writing end
// of a pipe, into which the agent writes the one encoded AgentReply, at most PIPE_BUF octets, so
// that neither side can be mistaken for another's, nor block. kAssociate and kListen bring a second
// descriptor, one end of a SOCK_SEQPACKET pair: the channel of what they ask for. Further requests
// about it go over its other end, and when all of those are closed, in all processes, it ends.
//
//   application's socket <-- plain datagrams on loopback --> stand-in | agent <== sealed ==> server
//   application's socket <-- plain connection on loopback -- stand-in | agent <== sealed ==> server
//
// A stand-in is a socket of the agent's on loopback that plays one peer of the application's
// socket: the application's datagrams to that peer are sent to it, and the peer's come from it.
#ifndef LIB_IO_AGENT_PROTOCOL_H_
#define LIB_IO_AGENT_PROTOCOL_H_

#include <string>

#include "lib/base/bytes.h"
#include "lib/base/result.h"
#include "lib/wire/address.h"

namespace socksify {

struct AgentRequest {
  enum class Kind : uint8_t {
    // On the control socket.
    kAssociate = 1,  // datagrams of the socket at `own`; answered once the agent has the channel
    kListen = 2,  // BIND for the listener at `own`; answered once the server listens, or will not
    // On a channel.
    kReach = 3,  // the stand-in for `peer`; with `wait`, once the server relays, or will not
    kWhoIs = 4,  // whom does the stand-in at `peer` play?
    kMoved = 5,  // the socket is at `own` by now
    kState = 6,  // has the association, or the listener, failed, and why? Where is it? With `wait`,
                 // once the server listens again: it does so anew for each connection
    kSettle = 7,  // of a listener: answered once all that has come from the server is passed on
  };

  Kind kind = Kind::kState;
  bool wait = false;
  Address own;   // where the application's socket is, on this host; a v4-mapped one as IPv4
  Address peer;  // of a kReach: as the server is to be asked for it, a name where one is known
};

struct AgentReply {
  int error = 0;        // errno, 0 for success
  std::string message;  // what to tell the user of a failure, may be empty
  Address stand_in;     // kReach
  Address peer;         // kWhoIs: who it is, a name where that was asked for
  Address bound;        // where the server relays or listens, if it does; kWhoIs of a listener: the
                        // server's end of the connection
  size_t max_data = 0;  // kReach with `wait`: most octets of one datagram to that peer
};

Bytes EncodeAgentRequest(const AgentRequest& request);
Result<AgentRequest> DecodeAgentRequest(ByteView octets);  // kMalformed
Bytes EncodeAgentReply(const AgentReply& reply);           // cuts the message to what fits
Result<AgentReply> DecodeAgentReply(ByteView octets);      // kMalformed

}  // namespace socksify

#endif  // LIB_IO_AGENT_PROTOCOL_H_
