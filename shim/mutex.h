// A mutex that a forked child can make new, and its scope lock, under which no thread is cancelled.
//
// Lock order, as BeforeFork in process.cc takes them all: the registrations', the pool of
// connections', Connection::state_, the Receiver's, the Sender's, the service's, the preparers',
// the DNS stub's, the associations', leaf_mutex, and last whoever is in a LibraryCall. None is held
// across a call that blocks.
#ifndef SHIM_MUTEX_H_
#define SHIM_MUTEX_H_

#include <pthread.h>

#include <ctime>

namespace socksify {

class Mutex {
 public:
  void Lock() { pthread_mutex_lock(&mutex_); }
  bool LockWithin(int milliseconds) {
    timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += milliseconds % 1000 * 1'000'000L;
    until.tv_sec += milliseconds / 1000 + until.tv_nsec / 1'000'000'000;
    until.tv_nsec %= 1'000'000'000;
    return pthread_mutex_timedlock(&mutex_, &until) == 0;
  }
  void Unlock() { pthread_mutex_unlock(&mutex_); }
  // In a forked child, whose parent held it across the fork.
  void Reinitialise() { mutex_ = PTHREAD_MUTEX_INITIALIZER; }
  pthread_mutex_t* native() { return &mutex_; }

 private:
  pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
};

class MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) : mutex_(mutex) {
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state_);
    mutex_.Lock();
  }
  ~MutexLock() {
    mutex_.Unlock();
    pthread_setcancelstate(cancel_state_, nullptr);
  }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
  int cancel_state_;
};

// For small tables of the process (causes reported, names resolved here). Nothing else is locked
// while it is held, and it is held across no call that could fork.
inline constinit Mutex leaf_mutex;

}  // namespace socksify

#endif  // SHIM_MUTEX_H_
