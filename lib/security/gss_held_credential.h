// Credentials that have been acquired once, by the service that they are used towards: the
// library's own search reads the configuration and the user's ticket file over and over. Held only
// as long as that file is the one they were acquired from, and while their ticket is good, so that
// nothing but the time it takes tells them from the search. Private to security/gss_*.
#ifndef LIB_SECURITY_GSS_HELD_CREDENTIAL_H_
#define LIB_SECURITY_GSS_HELD_CREDENTIAL_H_

#include <memory>
#include <string>

#include "lib/security/gss_support.h"

namespace socksify {

class HeldCredential {
 public:
  // Towards `target`; nullptr when there is none (any more). Safe in any thread.
  static std::shared_ptr<const HeldCredential> Find(const std::string& target);

  // Acquires what the library's search finds, if that is tickets in a file: a session with `target`
  // has just been made so, whose ticket is good for so many seconds. Does not ask the KDC.
  static void Acquire(const std::string& target, OM_uint32 lifetime);

  static void Drop(const std::string& target);

  gss_cred_id_t get() const { return credential_.get(); }

 private:
  struct TicketFile;

  HeldCredential() = default;

  GssCredential credential_;
  std::shared_ptr<const TicketFile> file_;
  int64_t until_ = 0;  // of time(2)
};

}  // namespace socksify

#endif  // LIB_SECURITY_GSS_HELD_CREDENTIAL_H_
