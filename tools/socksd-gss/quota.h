// How many ports the clients of one address have open here, by UDP ASSOCIATE and BIND: no more than
// a limit. Thread-safe.
#ifndef TOOLS_SOCKSD_GSS_QUOTA_H_
#define TOOLS_SOCKSD_GSS_QUOTA_H_

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

#include "lib/wire/address.h"

namespace socksify {

class Quota {
 public:
  explicit Quota(size_t most) : most_(most) {}

  // One port, until it is destroyed.
  class Share {
   public:
    Share(std::shared_ptr<Quota> quota, std::string host)
        : quota_(std::move(quota)), host_(std::move(host)) {}
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;
    ~Share() { quota_->Give(host_); }

   private:
    const std::shared_ptr<Quota> quota_;
    const std::string host_;
  };

  // Null: the client has all that it may.
  static std::unique_ptr<Share> Take(const std::shared_ptr<Quota>& quota, const Address& client) {
    std::string host = client.Host();
    std::lock_guard lock(quota->mutex_);
    size_t& taken = quota->taken_[host];
    if (taken >= quota->most_) return nullptr;
    taken++;
    return std::make_unique<Share>(quota, std::move(host));
  }

 private:
  void Give(const std::string& host) {
    std::lock_guard lock(mutex_);
    auto at = taken_.find(host);
    if (--at->second == 0) taken_.erase(at);
  }

  const size_t most_;  // 1 at the least
  std::mutex mutex_;   // leaf lock; guards the rest
  std::unordered_map<std::string, size_t> taken_;
};

}  // namespace socksify

#endif  // TOOLS_SOCKSD_GSS_QUOTA_H_
