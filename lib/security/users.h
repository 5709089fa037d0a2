// The users of a server and their passwords, for RFC 1929 and CHAP.
#ifndef LIB_SECURITY_USERS_H_
#define LIB_SECURITY_USERS_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/bytes.h"
#include "lib/base/result.h"
#include "lib/base/secret.h"

namespace socksify {

// What is kept of one password: the password itself, or its crypt(5) hash.
struct StoredPassword {
  Secret text;
  bool hashed = false;
};

// As it is written in a file. What starts with '$' is a hash, of a method that is still good for
// new passwords (yescrypt, scrypt, bcrypt, SHA-512, SHA-256); anything else is the password itself,
// which may also be written with "$clear$" before it, and must be when it starts with '$' itself.
// kConfig, without what was written: a hash of another method, or nothing at all.
Result<StoredPassword> ParseStoredPassword(std::string_view text);

// Immutable, so any number of threads may use one.
class UserDatabase {
 public:
  UserDatabase() = default;  // nobody
  explicit UserDatabase(std::map<std::string, StoredPassword> users);

  // Takes the same time for a user that does not exist as for one that does. With a hash anywhere
  // in the database that is the time of one hash, tens of milliseconds; see hashes().
  bool VerifyPassword(const std::string& name, ByteView password) const;

  // Null when there is no such user, or only a hash of the password. Lives as long as this does.
  const Secret* ClearPassword(const std::string& name) const;

  // Who has a hash, so no ClearPassword().
  std::vector<std::string> HashedUsers() const;

  // Is any password hashed? Then VerifyPassword() is nothing for a thread that others wait for.
  bool hashes() const { return !decoy_.empty(); }

 private:
  std::map<std::string, StoredPassword> users_;
  Secret decoy_;  // a hash of somebody's, computed in vain for who has none
};

}  // namespace socksify

#endif  // LIB_SECURITY_USERS_H_
