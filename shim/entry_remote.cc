// What libc asks the network by itself, past its own exported functions.
#include <limits.h>
#include <netdb.h>
#include <unistd.h>

#include "shim/child_environment.h"
#include "shim/entry.h"
#include "shim/guard.h"
#include "shim/names.h"
#include "shim/real_calls.h"
#include "shim/report.h"
#include "shim/runtime.h"

using namespace socksify;  // NOLINT: the functions below are libc's

namespace {

// The commands of rsh(1), and its lists of trusted hosts: libc connects, and resolves names.
bool MayUseRemoteShells() {
  if (ChildEnvironment::IsLeftAlone(ChildEnvironment::For::kThisProcess)) return true;
  (void)Runtime::GetConfig();  // says where to log
  ReportOnce(
      "libc's remote shells (rcmd, rexec, ruserok) were refused to the program: they would "
      "go direct");
  errno = EACCES;
  return false;
}

}  // namespace

EXPORT int rcmd(char** host, unsigned short port, const char* local_user, const char* user,
                const char* command, int* errors) {
  return MayUseRemoteShells() ? real::rcmd(host, port, local_user, user, command, errors) : -1;
}
EXPORT int rcmd_af(char** host, unsigned short port, const char* local_user, const char* user,
                   const char* command, int* errors, sa_family_t family) {
  if (!MayUseRemoteShells()) return -1;
  return real::rcmd_af(host, port, local_user, user, command, errors, family);
}
EXPORT int rexec(char** host, int port, const char* user, const char* password, const char* command,
                 int* errors) {
  return MayUseRemoteShells() ? real::rexec(host, port, user, password, command, errors) : -1;
}
EXPORT int rexec_af(char** host, int port, const char* user, const char* password,
                    const char* command, int* errors, sa_family_t family) {
  if (!MayUseRemoteShells()) return -1;
  return real::rexec_af(host, port, user, password, command, errors, family);
}
EXPORT int ruserok(const char* host, int superuser, const char* remote_user, const char* user) {
  return MayUseRemoteShells() ? real::ruserok(host, superuser, remote_user, user) : -1;
}
EXPORT int ruserok_af(const char* host, int superuser, const char* remote_user, const char* user,
                      sa_family_t family) {
  return MayUseRemoteShells() ? real::ruserok_af(host, superuser, remote_user, user, family) : -1;
}
EXPORT int iruserok(uint32_t address, int superuser, const char* remote_user, const char* user) {
  return MayUseRemoteShells() ? real::iruserok(address, superuser, remote_user, user) : -1;
}
EXPORT int iruserok_af(const void* address, int superuser, const char* remote_user,
                       const char* user, sa_family_t family) {
  if (!MayUseRemoteShells()) return -1;
  return real::iruserok_af(address, superuser, remote_user, user, family);
}

// Without /etc/hostid, libc asks for the address of this host's own name. 0 when nobody knows it.
EXPORT long gethostid() {
  char name[HOST_NAME_MAX + 1];
  const bool asks =
      !Guard::active() && access("/etc/hostid", R_OK) != 0 && gethostname(name, sizeof name) == 0;
  return asks && SourceOf(name).kind == NameSource::Kind::kStandIn ? 0 : real::gethostid();
}
