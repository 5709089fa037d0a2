#include "shim/associations.h"

#include <atomic>
#include <utility>

#include "shim/descriptor_map.h"

namespace socksify {
namespace {

using Mark = DescriptorTable::Mark;

constinit DescriptorMap<Association> g_associations;

}  // namespace

std::shared_ptr<Association> Associations::Find(int fd) {
  return Has(fd) ? g_associations.Find(fd) : nullptr;
}

std::shared_ptr<Association> Associations::For(int fd) {
  if (static_cast<unsigned>(fd) >= DescriptorTable::kNumbers) return nullptr;
  const bool inherited = DescriptorTable::Get(fd) == Mark::kNone;
  auto association = g_associations.FindOrPut(fd, [] { return std::make_shared<Association>(); });
  if (inherited) association->Inherit(fd);
  DescriptorTable::Set(fd, Mark::kDatagrams);
  return association;
}

void Associations::Share(int fd, int copy) {
  if (static_cast<unsigned>(copy) >= DescriptorTable::kNumbers) return;
  g_associations.Put(copy, For(fd));
  DescriptorTable::Set(copy, Mark::kDatagrams);
}

void Associations::Forget(int fd) { (void)g_associations.Take(fd); }

void Associations::KeepForGood(int fd) {
  const auto association = Find(fd);
  if (association == nullptr || !association->open()) return;
  static std::atomic<int> kept{0};
  g_associations.Put(--kept, association);  // no descriptor's number
}

void Associations::BeforeFork() {
  g_associations.BeforeFork();
  Association::BeforeFork();
}

void Associations::AfterFork(bool in_child) {
  Association::AfterFork(in_child);
  g_associations.AfterFork(in_child);
  if (!in_child) return;
  for (const auto& [fd, association] : g_associations.All()) association->AfterForkInChild();
}

}  // namespace socksify
