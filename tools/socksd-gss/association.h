// One UDP association (RFC 1928 section 7, RFC 1961 section 6): a relay socket that the client
// sends to, and one towards the targets for each address family, made when it is needed.
//
//   client  <== sealed datagrams ==>  relay socket | SecurityLayer | sockets  <-->  targets
//
// Datagrams are taken from the address that the control connection comes from alone, and there from
// one port: the one that the request names, or that of the first datagram which the session's
// protection lets through. Nothing is sent to anybody before that one. Targets are judged by the
// rules, names twice (see TargetRules). What comes from elsewhere than the targets that the client
// has sent to is dropped, unless a rule lets it in; replies of a target that was asked for by name
// carry that name. Whatever cannot be taken, sealed or sent is dropped and counted.
//
// Ends with its control connection, which is the owner's: what has come before that is sent on, as
// the kernel would for a socket that is closed. For the loop's thread only.
#ifndef TOOLS_SOCKSD_GSS_ASSOCIATION_H_
#define TOOLS_SOCKSD_GSS_ASSOCIATION_H_

#include <array>
#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include "lib/security/security_layer.h"
#include "tools/loop/timer.h"
#include "tools/socksd-gss/datagram_socket.h"
#include "tools/socksd-gss/name_cache.h"
#include "tools/socksd-gss/server_rules.h"
#include "tools/socksd-gss/target_table.h"

namespace socksify {

class AssociationOwner {
 public:
  // No datagram has passed for as long as the rules allow. The owner may end it in this.
  virtual void OnIdle() = 0;
  // After Finish() was false: now all is sent. The owner may end it in this.
  virtual void OnFinished() = 0;

 protected:
  ~AssociationOwner() = default;
};

class Association final : public DatagramSocketOwner, public NameCacheOwner {
 public:
  // `layer`, `rules` and `owner` must outlive it. `client` is who the control connection comes
  // from, `requested` what the request says it will send from.
  Association(uv_loop_t* loop, AssociationOwner* owner, const ServerRules& rules,
              SecurityLayer& layer, const Address& client, const Address& requested);

  // Opens the relay socket at `local`. 0 or an errno.
  int Open(const sockaddr_storage& local);
  const Address& address() const { return relay_->address(); }

  // The client is heard no more: what it has sent so far is sent on. False: names are waited for,
  // and OnFinished() follows.
  bool Finish();

  std::string Describe() const;  // how much has passed, and what was dropped, for the log

 private:
  // Why a datagram is dropped.
  enum Why {
    kStrange,     // not from the client's address and port
    kBad,         // altered, repeated, no datagram of SOCKS, a fragment
    kDenied,      // by the rules
    kUnresolved,  // a name that has no address, or for which too much waits
    kUnasked,     // from whom the client has not sent to
    kTooLarge,    // for one datagram of UDP
    kUnsent,      // no room in the kernel, no route
    kWhys,
  };
  struct Passed {
    uint64_t datagrams = 0, octets = 0;
  };

  // One of the sockets towards the targets.
  struct Outside final : DatagramSocketOwner {
    explicit Outside(Association* of) : association(of) {}
    void OnDatagram(const sockaddr_storage& from, ByteSpan data) override {
      association->FromTarget(from, data);
    }
    Association* const association;
    std::unique_ptr<DatagramSocket> socket;
  };

  void OnDatagram(const sockaddr_storage& from, ByteSpan datagram) override;
  void OnName(const Address& name, const std::vector<Address>& found,
              const std::vector<Bytes>& waiting) override;
  void FromTarget(const sockaddr_storage& from, ByteSpan data);
  void SendToName(const Address& name, const std::vector<Address>& found, ByteView data);
  bool MayReach(const Address& requested, const Address& target) const;
  int SendTo(const Address& requested, const Address& target, ByteView data);
  bool IsClient(const sockaddr_storage& from) const;
  void Drop(Why why);
  static Why UnsentAs(int error) { return error == EMSGSIZE ? kTooLarge : kUnsent; }
  void ReceiveAll();
  void OnTimer();

  uv_loop_t* const loop_;
  AssociationOwner* const owner_;
  const ServerRules& rules_;
  SecurityLayer& layer_;
  const Address client_;  // its port is that of the control connection
  uint16_t client_port_;  // 0: not known yet
  bool heard_ = false;    // a datagram of the client has come, from client_at_
  sockaddr_storage client_at_ = {};
  std::unique_ptr<DatagramSocket> relay_;  // until Finish()
  Outside ipv4_{this}, ipv6_{this};
  TargetTable targets_;
  NameCache names_;
  Bytes sealed_;
  Passed up_, down_;
  std::array<uint64_t, kWhys> drops_ = {};
  uint64_t passed_at_;  // by the loop's clock
  Timer timer_;
};

}  // namespace socksify

#endif  // TOOLS_SOCKSD_GSS_ASSOCIATION_H_
