#include "shim/registrations.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>
#include <unordered_map>
#include <vector>

#include "shim/connection.h"
#include "shim/descriptor_table.h"
#include "shim/mutex.h"
#include "shim/real_calls.h"

namespace socksify {
namespace {

struct Registration {
  int epoll;
  int fd;
  epoll_event event;
};
using List = std::vector<Registration>;

struct Table {
  std::unordered_map<int, List> known;         // by descriptor, as the kernel has them
  std::unordered_map<Connection*, List> held;  // of those being connected
};

Mutex g_mutex;
// Registrations of both kinds, to ask without the lock: never less than there are.
std::atomic<size_t> g_known{0};

Table& GetTable() {
  static Table* const table = new Table();  // never destroyed: threads outlive destructors
  return *table;
}

List::iterator FindIn(List& list, int epoll, int fd) {
  return std::find_if(list.begin(), list.end(), [&](const Registration& registration) {
    return registration.epoll == epoll && registration.fd == fd;
  });
}

// epoll_ctl(2) on a list instead of the kernel.
int Imitate(List& list, int epoll, int operation, int fd, epoll_event* event) {
  auto at = FindIn(list, epoll, fd);
  const bool known = at != list.end();
  int error = 0;
  switch (operation) {
    case EPOLL_CTL_ADD:
      if (known) {
        error = EEXIST;
      } else {
        ++g_known;
        list.push_back({epoll, fd, *event});
      }
      break;
    case EPOLL_CTL_MOD:
      if (!known) {
        error = ENOENT;
      } else if (((event->events | at->event.events) & EPOLLEXCLUSIVE) != 0) {
        error = EINVAL;
      } else {
        at->event = *event;
      }
      break;
    case EPOLL_CTL_DEL:
      if (!known) {
        error = ENOENT;
      } else {
        list.erase(at);
        --g_known;
      }
      break;
    default:
      error = EINVAL;
  }
  if (error == 0) return 0;
  errno = error;
  return -1;
}

// What the kernel has accepted, noted.
void Note(List& list, int epoll, int operation, int fd, const epoll_event* event) {
  auto at = FindIn(list, epoll, fd);
  if (operation == EPOLL_CTL_DEL) {
    if (at == list.end()) return;
    list.erase(at);
    --g_known;
  } else if (at != list.end()) {
    at->event = *event;
  } else {
    ++g_known;
    list.push_back({epoll, fd, *event});
  }
}

// Has a one-shot registration told its event? Then it is disarmed, which only the kernel knows.
bool IsSpent(const Registration& registration) {
  if ((registration.event.events & EPOLLONESHOT) == 0) return false;
  char path[64], text[4096];
  snprintf(path, sizeof path, "/proc/self/fdinfo/%d", registration.epoll);
  const int info = real::open(path, O_RDONLY | O_CLOEXEC);
  if (info < 0) return false;
  const ssize_t size = real::read(info, text, sizeof text - 1);
  (void)real::close(info);
  if (size <= 0) return false;
  text[size] = '\0';
  for (const char* line = strstr(text, "tfd:"); line != nullptr; line = strstr(line + 1, "tfd:")) {
    int fd = -1;
    unsigned events = 0;
    if (sscanf(line, "tfd: %d events: %x", &fd, &events) != 2 || fd != registration.fd) continue;
    return (events & (EPOLLIN | EPOLLOUT | EPOLLPRI | EPOLLERR | EPOLLHUP | EPOLLRDHUP)) == 0;
  }
  return false;
}

template <typename Key>
void Erase(std::unordered_map<Key, List>& lists, Key key) {
  auto at = lists.find(key);
  if (at == lists.end()) return;
  g_known -= at->second.size();
  lists.erase(at);
}

}  // namespace

void Registrations::Lock() { g_mutex.Lock(); }
void Registrations::Unlock() { g_mutex.Unlock(); }

int Registrations::Control(int epoll, int operation, int fd, epoll_event* event) {
  const auto mark = DescriptorTable::Get(fd);
  if (mark != DescriptorTable::Mark::kFreshSocket && mark != DescriptorTable::Mark::kConnection) {
    return real::epoll_ctl(epoll, operation, fd, event);
  }
  MutexLock lock(g_mutex);
  ConnectionRef connection = DescriptorTable::Find(fd);
  if (connection && connection->phase() == Connection::Phase::kConnecting) {
    if (event == nullptr && operation != EPOLL_CTL_DEL) {
      errno = EFAULT;
      return -1;
    }
    // The kernel checks the epoll descriptor: a registration that cannot exist says whether it is
    // one.
    epoll_event none = {};
    if (real::epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &none) != 0 && errno != ENOENT) return -1;
    return Imitate(GetTable().held[connection.get()], epoll, operation, fd, event);
  }
  const int result = real::epoll_ctl(epoll, operation, fd, event);
  if (result == 0) Note(GetTable().known[fd], epoll, operation, fd, event);
  return result;
}

namespace {

// The registration that an event is of, if its data is the descriptor. One that is one-shot was
// disarmed when it told the event.
std::optional<Registration> FindByData(int epoll, const epoll_event& event) {
  MutexLock lock(g_mutex);
  auto list = GetTable().known.find(event.data.fd);
  if (list == GetTable().known.end()) return std::nullopt;
  auto at = FindIn(list->second, epoll, event.data.fd);
  if (at == list->second.end() || at->event.data.u64 != event.data.u64) return std::nullopt;
  return *at;
}

// The descriptor that an event is of, whatever its data: -1 unless there is exactly one.
int FindDescriptor(int epoll, const epoll_event& event) {
  MutexLock lock(g_mutex);
  int found = -1;
  for (const auto& [fd, list] : GetTable().known) {
    for (const Registration& at : list) {
      if (at.epoll != epoll || at.event.data.u64 != event.data.u64) continue;
      if (found >= 0) return -1;
      found = at.fd;
    }
  }
  return found;
}

// Is the event still there when what is not true has been taken from it?
bool Confirmed(int epoll, epoll_event& event) {
  constexpr uint32_t kReadable = EPOLLIN | EPOLLRDNORM;
  if ((event.events & EPOLLERR) != 0 && Connection::AnyToTell()) {
    const ConnectionRef connection = DescriptorTable::Find(FindDescriptor(epoll, event));
    if (connection && connection->HidesErrors()) event.events &= ~uint32_t{EPOLLERR};
  }
  if ((event.events & kReadable) == 0 || (event.events & (EPOLLERR | EPOLLHUP)) != 0) return true;
  ConnectionRef connection = DescriptorTable::Find(event.data.fd);
  if (!connection || !connection->framed()) return true;
  std::optional<Registration> registration = FindByData(epoll, event);
  if (!registration || connection->IsReadable(event.data.fd)) return true;
  event.events &= ~kReadable;
  if (event.events != 0) return true;
  if ((registration->event.events & EPOLLONESHOT) != 0) {
    (void)real::epoll_ctl(epoll, EPOLL_CTL_MOD, registration->fd, &registration->event);
  }
  return false;
}

}  // namespace

int Registrations::Confirm(int epoll, epoll_event* events, int count) {
  int left = 0;
  for (int i = 0; i < count; ++i) {
    if (Confirmed(epoll, events[i])) events[left++] = events[i];
  }
  return left;
}

void Registrations::Hold(int fd, Connection* connection) {
  if (g_known == 0) return;
  MutexLock lock(g_mutex);
  TakeOut(connection, fd);
}

void Registrations::TakeOut(Connection* connection, int fd) {
  List held;
  auto& known = GetTable().known;
  for (auto at = known.begin(); at != known.end();) {
    if (at->first != fd && !DescriptorTable::Is(at->first, connection)) {
      ++at;
      continue;
    }
    for (Registration& registration : at->second) {
      if (IsSpent(registration)) registration.event.events = EPOLLONESHOT;
      if (real::epoll_ctl(registration.epoll, EPOLL_CTL_DEL, registration.fd, nullptr) == 0) {
        held.push_back(registration);
      } else {
        --g_known;  // a process that shares the epoll instance since a fork has been here
      }
    }
    at = known.erase(at);
  }
  if (held.empty()) return;
  List& list = GetTable().held[connection];
  list.insert(list.end(), held.begin(), held.end());
}

void Registrations::GiveBack(Connection* connection) {
  auto at = GetTable().held.find(connection);
  if (at == GetTable().held.end()) return;
  List list = std::move(at->second);
  GetTable().held.erase(at);
  for (Registration& registration : list) {
    if (real::epoll_ctl(registration.epoll, EPOLL_CTL_ADD, registration.fd, &registration.event) ==
        0) {
      GetTable().known[registration.fd].push_back(registration);
    } else {
      --g_known;
    }
  }
}

void Registrations::Forget(Connection* connection) {
  if (g_known == 0) return;
  MutexLock lock(g_mutex);
  Erase(GetTable().held, connection);
}

void Registrations::Withdraw(int fd) {
  if (g_known == 0) return;
  MutexLock lock(g_mutex);
  auto at = GetTable().known.find(fd);
  if (at == GetTable().known.end()) return;
  for (const Registration& registration : at->second) {
    (void)real::epoll_ctl(registration.epoll, EPOLL_CTL_DEL, fd, nullptr);
  }
  Erase(GetTable().known, fd);
}

void Registrations::DescriptorGone(int fd) {
  if (g_known == 0) return;
  MutexLock lock(g_mutex);
  Erase(GetTable().known, fd);
  auto concerns = [&](const Registration& registration) {
    return registration.epoll == fd || registration.fd == fd;
  };
  for (auto& [connection, list] : GetTable().held) g_known -= std::erase_if(list, concerns);
  if (DescriptorTable::Get(fd) != DescriptorTable::Mark::kEpoll) return;
  for (auto& [socket, list] : GetTable().known) g_known -= std::erase_if(list, concerns);
}

void Registrations::AfterFork(bool in_child) {
  if (!in_child) {
    Unlock();
    return;
  }
  g_mutex.Reinitialise();
  for (auto& [connection, list] : GetTable().held) g_known -= list.size();
  GetTable().held.clear();  // those connections have failed in the child
}

}  // namespace socksify
