#include "lib/wire/userpass.h"

namespace socksify {
namespace {

constexpr size_t kMaxFieldLength = 255;  // one length octet

Status CheckVersion(ByteView octets) {
  if (octets.empty() || octets[0] == kUserpassVersion) return {};
  return {Errc::kMalformed,
          "a username/password message of unknown version (0x" + Hex(octets.first(1)) + ")"};
}

Status CheckField(const char* what, size_t length) {
  if (length == 0) return {Errc::kConfig, std::string("the ") + what + " is empty"};
  if (length > kMaxFieldLength) {
    return {Errc::kConfig, std::string("the ") + what + " is longer than 255 octets"};
  }
  return {};
}

}  // namespace

Status AppendUserpassRequest(Bytes& to, const UserpassRequest& request) {
  if (Status status = CheckField("user name", request.user.size()); !status.ok()) return status;
  ByteView password = request.password.octets();
  if (Status status = CheckField("password", password.size()); !status.ok()) return status;
  to.push_back(kUserpassVersion);
  to.push_back(static_cast<uint8_t>(request.user.size()));
  Append(to, AsBytes(request.user));
  to.push_back(static_cast<uint8_t>(password.size()));
  Append(to, password);
  return {};
}

Result<Parsed<UserpassRequest>> ParseUserpassRequest(ByteView octets) {
  using Found = Parsed<UserpassRequest>;
  if (Status status = CheckVersion(octets); !status.ok()) return status;
  // VER ULEN UNAME PLEN PASSWD: each length octet tells how far the next one is.
  if (octets.size() < 2) return Found::Needs(2 - octets.size());
  const size_t user_length = octets[1];
  if (user_length == 0) return {Errc::kMalformed, "an empty user name"};
  const size_t password_at = 2 + user_length + 1;
  if (octets.size() < password_at) return Found::Needs(password_at - octets.size());
  const size_t password_length = octets[password_at - 1];
  if (password_length == 0) return {Errc::kMalformed, "an empty password"};
  const size_t size = password_at + password_length;
  if (octets.size() < size) return Found::Needs(size - octets.size());
  Found found;
  found.size = size;
  found.message.user = AsText(octets.subspan(2, user_length));
  found.message.password = Secret(AsText(octets.subspan(password_at, password_length)));
  return found;
}

void AppendUserpassReply(Bytes& to, UserpassReply reply) {
  to.push_back(kUserpassVersion);
  to.push_back(reply.status);
}

Result<Parsed<UserpassReply>> ParseUserpassReply(ByteView octets) {
  using Found = Parsed<UserpassReply>;
  if (Status status = CheckVersion(octets); !status.ok()) return status;
  if (octets.size() < 2) return Found::Needs(2 - octets.size());
  return Found{2, 0, {octets[1]}};
}

}  // namespace socksify
