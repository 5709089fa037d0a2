// What fork, exec and exit mean for the connections.
#ifndef SHIM_PROCESS_H_
#define SHIM_PROCESS_H_

namespace socksify {

// Registers the fork handlers. Once, when the configuration is loaded.
void PrepareForForks();

// The process that the shim's memory belongs to; 0 before the configuration is loaded. A child of vfork
// sees its parent's.
int RememberedPid();

// While it lives, the connections of this process are close-on-exec: a program that is executed knows
// nothing of the session, would read protected octets and write clear ones. What the program had set
// comes back afterwards.
class ExecFence {
 public:
  ExecFence();
  ~ExecFence();
  ExecFence(const ExecFence&) = delete;
  ExecFence& operator=(const ExecFence&) = delete;

 private:
  static constexpr int kMax = 256;
  int fds_[kMax];  // those whose flag was set here; no allocation: it runs in vfork's child too
  int count_ = 0;
};

}  // namespace socksify

#endif  // SHIM_PROCESS_H_
