#include "lib/security/library_gate.h"

#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <ctime>

namespace socksify {
namespace {

constexpr time_t kPatienceSeconds = 2;  // for one that waits for the KDC, in vain

thread_local unsigned t_depth = 0;
std::atomic<unsigned> g_inside{0};  // threads
std::atomic<bool> g_closed{false};
pthread_t g_closer;  // valid once closed

pthread_mutex_t g_mutex = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t g_left = PTHREAD_COND_INITIALIZER;  // a thread has left a closed gate

void Leave() {
  if (g_inside.fetch_sub(1) != 1 || !g_closed) return;
  pthread_mutex_lock(&g_mutex);
  pthread_cond_broadcast(&g_left);
  pthread_mutex_unlock(&g_mutex);
}

__attribute__((constructor)) void PrepareForForks() {
  // The threads inside are the parent's; the one that forks may be one of them.
  pthread_atfork(nullptr, nullptr, [] { g_inside = t_depth != 0 ? 1 : 0; });
}

__attribute__((destructor)) void Close() {
  timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += kPatienceSeconds;
  const unsigned own = t_depth != 0 ? 1 : 0;
  g_closer = pthread_self();
  pthread_mutex_lock(&g_mutex);
  g_closed = true;
  while (g_inside > own && pthread_cond_timedwait(&g_left, &g_mutex, &until) == 0) {
  }
  pthread_mutex_unlock(&g_mutex);
}

}  // namespace

LibraryGate::LibraryGate() {
  if (t_depth++ != 0) return;
  ++g_inside;
  if (!g_closed || pthread_equal(g_closer, pthread_self()) != 0) return;
  Leave();
  for (;;) pause();
}

LibraryGate::~LibraryGate() {
  if (--t_depth == 0) Leave();
}

}  // namespace socksify
