// Descriptors that are the shim's own: high numbers, close-on-exec, marked, so that select(2) users
// keep their low numbers and close_range(2) leaves them alone.
#ifndef SHIM_OWN_DESCRIPTOR_H_
#define SHIM_OWN_DESCRIPTOR_H_

namespace socksify {

class OwnDescriptor {
 public:
  // Takes `fd` over and moves it up. Returns the new number, or -1 with errno (also when fd is -1).
  static int Adopt(int fd);
  // The same, to a number behind all that the application may have (RLIMIT_NOFILE), if the hard
  // limit allows: for one that stays beside each of many sockets.
  static int AdoptBehind(int fd);
  // A high duplicate of a descriptor of the application.
  static int Duplicate(int fd);
  static void Close(int fd);
  // In a forked child: closes those that `keep` does not say are the child's too.
  static void CloseAllBut(bool (*keep)(int fd));
};

// While it lives, a process that has used up its descriptors (RLIMIT_NOFILE) can still open the few
// that a connection needs, if its hard limit allows. If not: own_table.h.
class DescriptorHeadroom {
 public:
  DescriptorHeadroom();
  ~DescriptorHeadroom();
  DescriptorHeadroom(const DescriptorHeadroom&) = delete;
  DescriptorHeadroom& operator=(const DescriptorHeadroom&) = delete;

  bool enough() const { return enough_; }

 private:
  bool raised_ = false;
  bool enough_ = true;
};

}  // namespace socksify

#endif  // SHIM_OWN_DESCRIPTOR_H_
