#include "shim/thread.h"

#include <pthread.h>

#include "shim/signals.h"

namespace socksify {
namespace {

constexpr size_t kStackSize = 512 * 1024;  // libkrb5 and the resolver's modules run on it

}  // namespace

bool StartThread(void* (*function)(void*), void* argument) {
  const SignalsBlocked inherited;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, kStackSize);
  pthread_t thread;
  const bool started = pthread_create(&thread, &attributes, function, argument) == 0;
  pthread_attr_destroy(&attributes);
  return started;
}

}  // namespace socksify
