// The way from a context of the Kerberos library to a Krb5Session. Private to security/gss_*.
#ifndef LIB_SECURITY_GSS_LUCID_H_
#define LIB_SECURITY_GSS_LUCID_H_

#include <cstdint>
#include <memory>

#include "lib/security/gss_support.h"
#include "lib/security/krb5_session.h"

namespace socksify {

// Can a Krb5Session go on with this context, which is established? It can where the mechanism is
// Kerberos, by SPNEGO or not, with a key of one of the enctypes that it knows.
bool CanLeaveLibrary(gss_ctx_id_t context);

// Ends the context, in any case. `receive_next`: the number of the peer's next token, which
// the library does not tell. Null: it cannot be done after all.
std::unique_ptr<Krb5Session> LeaveLibrary(GssContext context, uint64_t receive_next);

}  // namespace socksify

#endif  // LIB_SECURITY_GSS_LUCID_H_
