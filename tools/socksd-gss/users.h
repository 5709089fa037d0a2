// The --users file: one `name:password` a line (RFC 1929). Blank lines and lines that start with
// '#' are skipped; a password may hold colons and blanks.
#ifndef TOOLS_SOCKSD_GSS_USERS_H_
#define TOOLS_SOCKSD_GSS_USERS_H_

#include <map>
#include <string>

#include "lib/base/result.h"
#include "lib/base/secret.h"

namespace socksify {

// kConfig names file and line, never what is in them; also for a file that others can read.
Result<std::map<std::string, Secret>> ReadUsers(const std::string& path);

}  // namespace socksify

#endif  // TOOLS_SOCKSD_GSS_USERS_H_
