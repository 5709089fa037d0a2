// The way from a context of the Kerberos library to a Krb5Session. Private to security/gss_*.
#ifndef LIB_SECURITY_GSS_LUCID_H_
#define LIB_SECURITY_GSS_LUCID_H_

#include <cstdint>
#include <memory>

#include "lib/security/gss_support.h"
#include "lib/security/krb5_session.h"

namespace socksify {

// The enctype of the key that an established context protects messages with; 0 if the mechanism is
// not Kerberos, by SPNEGO or not.
int ContextEnctype(gss_ctx_id_t context);

// Was the context asked to keep messages in order?
bool IsOrdered(gss_ctx_id_t context);

// Goes on with an established context whose enctype FindKrb5Enctype() knows. The context ends, in
// any case. `receive_next` is the number of the peer's next token, which the library does not tell.
// Null: the library has not given what it should.
std::unique_ptr<Krb5Session> LeaveLibrary(GssContext context, uint64_t receive_next);

}  // namespace socksify

#endif  // LIB_SECURITY_GSS_LUCID_H_
