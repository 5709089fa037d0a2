// The --users file: one `name:password` a line (RFC 1929). Blank lines and lines that start with
// '#' are skipped; a password may hold colons and blanks, and be a hash (ParseStoredPassword).
#ifndef TOOLS_SOCKSD_GSS_USERS_H_
#define TOOLS_SOCKSD_GSS_USERS_H_

#include <string>

#include "lib/base/result.h"
#include "lib/security/users.h"

namespace socksify {

// kConfig names file and line, never what is in them; also for a file that others can read.
Result<UserDatabase> ReadUsers(const std::string& path);

}  // namespace socksify

#endif  // TOOLS_SOCKSD_GSS_USERS_H_
