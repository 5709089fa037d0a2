#include "lib/security/gss_held_credential.h"

#include <pthread.h>
#include <sys/stat.h>

#include <ctime>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

namespace socksify {
namespace {

constexpr OM_uint32 kLeastLifetime = 300;  // seconds: who renews tickets does it before

}  // namespace

// Which file the tickets are in, and its state.
struct HeldCredential::TicketFile {
  std::string name;
  struct stat state = {};

  // Of the credentials that are used by default; nothing when they are in no file.
  static std::optional<TicketFile> Default() {
    OM_uint32 minor;
    const char* name = nullptr;
    if (GSS_ERROR(gss_krb5_ccache_name(&minor, nullptr, &name)) || name == nullptr) return {};
    TicketFile file{name};
    constexpr std::string_view kType = "FILE:";
    const char* path = file.name.starts_with(kType) ? name + kType.size() : name;
    if (*path != '/' || stat(path, &file.state) != 0) return {};
    return file;
  }

  bool operator==(const TicketFile& other) const {
    auto same = [](const timespec& one, const timespec& two) {
      return one.tv_sec == two.tv_sec && one.tv_nsec == two.tv_nsec;
    };
    return name == other.name && state.st_dev == other.state.st_dev &&
           state.st_ino == other.state.st_ino && state.st_size == other.state.st_size &&
           same(state.st_mtim, other.state.st_mtim) && same(state.st_ctim, other.state.st_ctim);
  }
};

namespace {

using Credentials = std::map<std::string, std::shared_ptr<const HeldCredential>>;

struct Table {
  Credentials credentials;
  Table* parents = nullptr;  // of the process that has forked this one
};

pthread_mutex_t g_mutex = PTHREAD_MUTEX_INITIALIZER;  // held across no call of the library
Table* g_table = nullptr;                             // guarded by it; never destroyed

Credentials& Held() {
  if (g_table == nullptr) g_table = new Table();
  return g_table->credentials;
}

// A thread of the parent's may hold the lock of one of these: a child acquires its own. Nothing is
// locked before a fork: whoever forks may have to wait for threads that come here.
void LeaveThemToTheParent() {
  g_mutex = PTHREAD_MUTEX_INITIALIZER;
  g_table = new Table{{}, g_table};
}

__attribute__((constructor)) void PrepareForForks() {
  pthread_atfork(nullptr, nullptr, &LeaveThemToTheParent);
}

std::shared_ptr<const HeldCredential> Exchange(const std::string& target,
                                               std::shared_ptr<const HeldCredential> credential) {
  pthread_mutex_lock(&g_mutex);
  Held()[target].swap(credential);
  pthread_mutex_unlock(&g_mutex);
  return credential;
}

}  // namespace

std::shared_ptr<const HeldCredential> HeldCredential::Find(const std::string& target) {
  pthread_mutex_lock(&g_mutex);
  auto at = Held().find(target);
  auto found = at == Held().end() ? nullptr : at->second;
  pthread_mutex_unlock(&g_mutex);
  if (found == nullptr) return nullptr;
  const auto file = TicketFile::Default();
  if (file && *file == *found->file_ && time(nullptr) < found->until_) return found;
  Drop(target);
  return nullptr;
}

void HeldCredential::Acquire(const std::string& target, OM_uint32 lifetime) {
  HoldKerberosConfiguration();
  if (lifetime <= kLeastLifetime) return;
  auto file = TicketFile::Default();
  if (!file) return;
  const std::shared_ptr<HeldCredential> held(new HeldCredential());
  gss_OID_set_desc mechanisms = {1, const_cast<gss_OID>(&kKerberosMechanism)};
  OM_uint32 minor;
  if (GSS_ERROR(gss_acquire_cred(&minor, GSS_C_NO_NAME, GSS_C_INDEFINITE, &mechanisms,
                                 GSS_C_INITIATE, held->credential_.address(), nullptr, nullptr))) {
    return;
  }
  held->file_ = std::make_shared<const TicketFile>(std::move(*file));
  held->until_ = time(nullptr) + (lifetime - kLeastLifetime);
  (void)Exchange(target, held);
}

void HeldCredential::Drop(const std::string& target) { (void)Exchange(target, nullptr); }

}  // namespace socksify
