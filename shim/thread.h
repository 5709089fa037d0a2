// Threads of the shim's own: all signals blocked, detached.
#ifndef SHIM_THREAD_H_
#define SHIM_THREAD_H_

namespace socksify {

// False when there is none to be had.
bool StartThread(void* (*function)(void*), void* argument);

}  // namespace socksify

#endif  // SHIM_THREAD_H_
