#include "shim/service_loop.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>

#include "shim/home.h"
#include "shim/own_descriptor.h"
#include "shim/real_calls.h"

namespace socksify {
namespace {

constexpr int kIdleMilliseconds = 1000;
constexpr int kBlindMilliseconds = 20;  // between two looks when epoll does not tell

// What an event of the epoll instance is about, if not an item.
char wake_tag, listener_tag;

bool AddToEpoll(int epoll, int fd, void* tag) {
  epoll_event event = {EPOLLIN, {.ptr = tag}};
  return real::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

}  // namespace

int ServiceLoop::NewEpoll(int wake_event) {
  const int epoll = OwnDescriptor::Adopt(real::epoll_create1(EPOLL_CLOEXEC));
  if (epoll < 0 || AddToEpoll(epoll, wake_event, &wake_tag)) return epoll;
  OwnDescriptor::Close(epoll);
  return -1;
}

void ServiceLoop::Enter(Items arrived) {
  while (!arrived.empty()) {
    items_.splice(items_.end(), arrived, arrived.begin());
    items_.back().place = std::prev(items_.end());
    Begin(items_.back());
  }
}

void ServiceLoop::ListenOn(int listener) {
  if (listener == listener_) return;
  if (listener_ >= 0) (void)real::epoll_ctl(epoll_, EPOLL_CTL_DEL, listener_, nullptr);
  listener_ = listener;
  if (listener_ >= 0 && !AddToEpoll(epoll_, listener_, &listener_tag)) blind_ = true;
}

void ServiceLoop::Prepared(const Preparation& preparation) {
  Item* const item = preparation.item;
  if (item == nullptr) return;
  if (item->abandoned()) return End(*item);
  item->kind = Item::Kind::kNegotiate;
  const Attempt::Next next = preparation.next;
  Negotiate(*item, next == Attempt::Next::kFailed ? next : item->attempt().Step(item->fd));
}

void ServiceLoop::LookForEnded() {
  for (auto at = items_.begin(); at != items_.end();) {
    Item& item = *at++;
    if (item.abandoned()) {
      End(item);
    } else if (item.kind == Item::Kind::kFlush &&
               item.connection->phase() == Connection::Phase::kEnded) {
      Flush(item);
    }
  }
}

void ServiceLoop::Await(bool look_again) {
  std::array<epoll_event, 64> events;
  int ready = real::epoll_wait(epoll_, events.data(), events.size(), Timeout(look_again));
  idle_ = ready <= 0;
  if (ready < 0 && errno != EINTR) {  // somebody has closed it by its number
    (void)real::poll(nullptr, 0, kBlindMilliseconds);
    blind_ = true;
  }
  for (int i = 0; i < ready; ++i) {
    void* const tag = events[static_cast<size_t>(i)].data.ptr;
    if (tag == &wake_tag) {
      eventfd_t count;
      (void)eventfd_read(wake_event_, &count);
    } else if (tag == &listener_tag) {
      Home::AnswerOne(listener_);
    } else {
      Ready(*static_cast<Item*>(tag));
    }
  }
  if (blind_) LookAtAll();
  const auto now = Deadline::clock::now();
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    Item& item = *deadlines_.begin()->second;
    Fail(item, item.attempt().TimeoutError());
  }
}

int ServiceLoop::Timeout(bool look_again) const {
  if (empty() || (look_again && items_.empty())) return kIdleMilliseconds;
  if (deadlines_.empty()) return blind_ ? kBlindMilliseconds : -1;
  const int left = MillisecondsUntil(deadlines_.begin()->first);
  return blind_ ? std::min(left, kBlindMilliseconds) : left;
}

void ServiceLoop::LookAtAll() {
  for (auto at = items_.begin(); at != items_.end();) Ready(*at++);
  pollfd question = {listener_, POLLIN, 0};
  if (real::poll(&question, 1, 0) > 0) Home::AnswerOne(listener_);
  blind_ = !empty();
}

void ServiceLoop::Watch(Item& item, uint32_t events) {
  if (item.watched == events) return;
  const int operation = item.watched == 0 ? EPOLL_CTL_ADD
                        : events == 0     ? EPOLL_CTL_DEL
                                          : EPOLL_CTL_MOD;
  epoll_event event = {events, {.ptr = &item}};
  const bool done = real::epoll_ctl(epoll_, operation, item.fd, &event) == 0;
  item.watched = done ? events : 0;
  if (!done) blind_ = true;
}

void ServiceLoop::End(Item& item) {
  Watch(item, 0);  // the application's descriptor would keep it in there
  if (item.kind != Item::Kind::kFlush) {
    deadlines_.erase({item.attempt().deadline(), &item});
    item.preparation->item = nullptr;
  }
  OwnDescriptor::Close(item.fd);
  items_.erase(item.place);
}

void ServiceLoop::Conclude(Item& item) {
  const ConnectionRef connection = item.connection;
  const uint32_t generation = item.generation;
  End(item);
  connection->Conclude(generation);
}

void ServiceLoop::Fail(Item& item, const Status& error) {
  item.connection->Fail(item.fd, error, item.attempt().server(), item.generation);
  Conclude(item);
}

void ServiceLoop::Negotiate(Item& item, Attempt::Next next) {
  switch (next) {
    case Attempt::Next::kWaitReadable:
      return Watch(item, EPOLLIN);
    case Attempt::Next::kWaitWritable:
      return Watch(item, EPOLLOUT);
    case Attempt::Next::kPrepare:  // the next server
      item.kind = Item::Kind::kPrepare;
      Watch(item, 0);
      return Preparers::Enter(item.preparation);
    case Attempt::Next::kEstablished:
      item.connection->Succeed(item.fd, item.attempt(), item.generation);
      if (item.connection->detach_when_established() && !item.connection->Detach()) {
        return Fail(item, {Errc::kUnsupported, "the session cannot be detached"});
      }
      return Conclude(item);
    case Attempt::Next::kFailed:
      return Fail(item, item.attempt().error());
  }
}

void ServiceLoop::Flush(Item& item) {
  const short events = item.connection->FlushTail(item.fd);
  if (events == 0) return End(item);
  Watch(item, static_cast<uint32_t>(events));  // poll's and epoll's names have the same values
}

void ServiceLoop::Begin(Item& item) {
  if (item.kind == Item::Kind::kFlush) return Flush(item);
  deadlines_.insert({item.attempt().deadline(), &item});
  if (item.abandoned()) End(item);
}

void ServiceLoop::Ready(Item& item) {
  if (item.kind == Item::Kind::kFlush) return Flush(item);
  if (item.abandoned()) return End(item);
  if (item.kind == Item::Kind::kNegotiate) Negotiate(item, item.attempt().Step(item.fd));
}

}  // namespace socksify
