// The twins that FORTIFY_SOURCE compiles calls into. libc's headers declare them only while that is
// on, and it is off in this library.
#ifndef SHIM_FORTIFIED_H_
#define SHIM_FORTIFIED_H_

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <cstdarg>
#include <cstddef>

extern "C" {
ssize_t __read_chk(int fd, void* buffer, size_t count, size_t buffer_size);
ssize_t __recv_chk(int fd, void* buffer, size_t count, size_t buffer_size, int flags);
ssize_t __recvfrom_chk(int fd, void* buffer, size_t count, size_t buffer_size, int flags,
                       sockaddr* address, socklen_t* address_size);
int __dprintf_chk(int fd, int flag, const char* format, ...);
int __vdprintf_chk(int fd, int flag, const char* format, va_list arguments);
int __poll_chk(pollfd* fds, nfds_t count, int timeout, size_t fds_size);
int __ppoll_chk(pollfd* fds, nfds_t count, const timespec* timeout, const sigset_t* mask,
                size_t fds_size);
int __open_2(const char* path, int flags);
int __open64_2(const char* path, int flags);
int __openat_2(int directory, const char* path, int flags);
int __openat64_2(int directory, const char* path, int flags);
[[noreturn]] void __chk_fail();
}

#endif  // SHIM_FORTIFIED_H_
