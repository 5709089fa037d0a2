// Owns a descriptor; -1 is none.
#ifndef TOOLS_HELPER_UNIQUE_FD_H_
#define TOOLS_HELPER_UNIQUE_FD_H_

#include <unistd.h>

#include <utility>

namespace socksify {

class UniqueFd {
 public:
  explicit UniqueFd(int fd = -1) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.Release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~UniqueFd() {
    if (fd_ != -1) (void)close(fd_);
  }

  int get() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

}  // namespace socksify

#endif  // TOOLS_HELPER_UNIQUE_FD_H_
