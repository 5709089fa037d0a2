// Which descriptors have an association, or have been found to need one to be shared: bound by the
// program, or duplicated. Any thread.
#ifndef SHIM_ASSOCIATIONS_H_
#define SHIM_ASSOCIATIONS_H_

#include <memory>

#include "shim/association.h"
#include "shim/descriptor_table.h"

namespace socksify {

class Associations {
 public:
  // Costs one load where there is none.
  static bool Has(int fd) {
    return __builtin_expect(DescriptorTable::Get(fd) == DescriptorTable::Mark::kDatagrams, 0);
  }
  static std::shared_ptr<Association> Find(int fd);  // null when there is none
  static std::shared_ptr<Association> For(int fd);   // made if there is none

  // `copy` is a duplicate of `fd`, a socket for datagrams.
  static void Share(int fd, int copy);
  // The descriptor goes.
  static void Forget(int fd);
  // Another process has the socket, and this cannot see how long: the association stays.
  static void KeepForGood(int fd);

  // --- fork and exec ---
  static void BeforeFork();
  static void AfterFork(bool in_child);
  // Calls `visit(fd, channel)` for the descriptors whose association is open.
  template <typename Visitor>
  static void ForEachChannel(Visitor visit) {
    DescriptorTable::ForEach(0, UINT32_MAX, [&](int fd, DescriptorTable::Mark) {
      if (!Has(fd)) return;
      const auto association = Find(fd);
      const auto channel = association != nullptr ? association->channel() : nullptr;
      if (channel != nullptr) visit(fd, channel->fd());
    });
  }
};

}  // namespace socksify

#endif  // SHIM_ASSOCIATIONS_H_
