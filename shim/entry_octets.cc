// Octets in and out: read, recv, write, send and their families.
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "shim/associations.h"
#include "shim/datagrams.h"
#include "shim/detach.h"
#include "shim/entry.h"
#include "shim/octets.h"
#include "shim/proxied_connect.h"
#include "shim/real_calls.h"
#include "shim/signals.h"
#include "shim/user_memory.h"

namespace socksify {
namespace {

// Calls `visit` for every descriptor that the message carries over a Unix socket.
template <typename Visitor>
void ForEachPassedDescriptor(const msghdr* message, Visitor visit) {
  if (message->msg_controllen == 0) return;
  for (cmsghdr* at = CMSG_FIRSTHDR(message); at != nullptr;
       at = CMSG_NXTHDR(const_cast<msghdr*>(message), at)) {
    if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SCM_RIGHTS) continue;
    const size_t left = message->msg_controllen -
                        static_cast<size_t>(reinterpret_cast<const char*>(at) -
                                            static_cast<const char*>(message->msg_control));
    if (at->cmsg_len < CMSG_LEN(0) || at->cmsg_len > left) return;  // the kernel's to refuse
    const size_t count = (at->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int fd;
      memcpy(&fd, CMSG_DATA(at) + i * sizeof fd, sizeof fd);
      visit(fd);
    }
  }
}

// Descriptors that came are new here, whatever their numbers meant before.
void ForgetReceivedDescriptors(const msghdr* message) {
  ForEachPassedDescriptor(message, [](int fd) {
    if (DescriptorTable::Get(fd) == DescriptorTable::Mark::kNone) return;
    DescriptorTable::Set(fd, DescriptorTable::Mark::kNone);
  });
}

// The other process knows nothing of a session.
bool DetachPassed(const msghdr* message) {
  bool detached = true;
  ForEachPassedDescriptor(message, [&](int fd) {
    Associations::KeepForGood(fd);
    detached = DetachDescriptor(fd) && detached;
  });
  return detached;
}

// Where a message on a descriptor that is not a connection goes. kRefused sets errno.
DatagramTarget MessageTarget(int fd, const msghdr* message, int flags) {
  if (!IsReadable(message, sizeof *message) ||
      (message->msg_controllen != 0 &&
       !IsReadable(message->msg_control, message->msg_controllen))) {
    return {};  // the kernel's to refuse
  }
  if (message->msg_control != nullptr && !DetachPassed(message)) {
    return {DatagramTarget::Kind::kRefused};
  }
  socklen_t length = message->msg_namelen;
  if (length <= INT_MAX) length = std::min<socklen_t>(length, sizeof(sockaddr_storage));
  return DatagramTargetFor(fd, static_cast<const sockaddr*>(message->msg_name), length,
                           SizeOfMessage(*message), flags);
}

ssize_t SendDirectly(int fd, const msghdr* message, int flags) {
  return SendMessageTo(MessageTarget(fd, message, flags), fd, message, flags);
}

// Have they neither addresses nor descriptors? Then there is nothing to look at.
bool AreOctetsAlone(const mmsghdr* messages, unsigned count) {
  return IsAllReadable(messages, count * sizeof *messages) &&
         std::all_of(messages, messages + count, [](const mmsghdr& message) {
           return message.msg_hdr.msg_name == nullptr && message.msg_hdr.msg_control == nullptr;
         });
}

// One after the other, as the kernel does it: what was sent before a failure counts. None that has
// not been looked at is the kernel's to send.
int SendDirectly(int fd, mmsghdr* messages, unsigned count, int flags) {
  count = std::min<unsigned>(count, IOV_MAX);
  if (!Associations::Has(fd) && AreOctetsAlone(messages, count))
    return real::sendmmsg(fd, messages, count, flags);
  int done = 0;
  for (; done < static_cast<int>(count); ++done) {
    mmsghdr& message = messages[done];
    if (!IsWritable(&message, sizeof message)) return done != 0 ? done : FailWith(EFAULT);
    const ssize_t sent = SendDirectly(fd, &message.msg_hdr, flags);
    if (sent < 0) return done != 0 ? done : -1;
    message.msg_len = static_cast<unsigned>(sent);
  }
  return done;
}

// Vectors without an octet: nothing is read or written. Those that are none are the kernel's to
// refuse.
bool IsNothing(const iovec* vectors, int count) {
  return count <= 0 || count > IOV_MAX ||
         (IsReadable(vectors, static_cast<size_t>(count) * sizeof *vectors) &&
          TotalSize(vectors, static_cast<size_t>(count)) == 0);
}

ssize_t SendToKernel(int fd, const iovec* vectors, size_t count, int flags) {
  msghdr message = {};
  message.msg_iov = const_cast<iovec*>(vectors);
  message.msg_iovlen = count;
  return real::sendmsg(fd, &message, flags);
}

// TCP Fast Open: a send that connects first.
ssize_t ConnectAndSend(int fd, const sockaddr* address, socklen_t length, const iovec* vectors,
                       size_t count, int flags) {
  if (ConnectDescriptor(fd, address, length) != 0) return -1;
  flags &= ~MSG_FASTOPEN;
  ConnectionRef connection = DescriptorTable::Find(fd);
  if (!connection) return SendToKernel(fd, vectors, count, flags);
  const Path path = PathFor(*connection, fd, flags);
  if (path == Path::kError) return -1;
  if (path == Path::kOurs) {
    if (!IsReadable(vectors, count * sizeof *vectors)) return FailWith(EFAULT);
    return SendOn(*connection, fd, vectors, count, flags);
  }
  return SendToKernel(fd, vectors, count, flags);
}

// sendfile to a framed connection, which is no cancellation point, however long it waits.
ssize_t SendFile(Connection& connection, int out, int in, off_t* offset, size_t count) {
  constexpr size_t kChunk = 256 * 1024;
  const CancellationDisabled no_cancellation;
  struct stat source;
  if (offset != nullptr && !IsWritable(offset, sizeof *offset)) return FailWith(EFAULT);
  if (fstat(in, &source) != 0) return -1;
  if (!S_ISREG(source.st_mode) && !S_ISBLK(source.st_mode)) {
    const int access = real::fcntl(in, F_GETFL) & O_ACCMODE;
    return FailWith(access == O_WRONLY ? EBADF : EINVAL);
  }
  std::unique_ptr<char[]> buffer(new (std::nothrow) char[std::min(count, kChunk) + 1]);
  if (!buffer) return FailWith(ENOMEM);
  size_t total = 0;
  while (total < count) {
    const size_t part = std::min(count - total, kChunk);
    ssize_t got = offset != nullptr ? pread(in, buffer.get(), part, *offset)
                                    : real::read(in, buffer.get(), part);
    if (got <= 0) return total != 0 || got == 0 ? static_cast<ssize_t>(total) : -1;
    iovec vector = Vector(buffer.get(), static_cast<size_t>(got));
    ssize_t sent = SendOn(connection, out, &vector, 1, 0);
    const ssize_t unsent = got - std::max<ssize_t>(sent, 0);
    if (offset != nullptr) {
      *offset += got - unsent;
    } else if (unsent != 0) {
      const int error = errno;
      (void)lseek(in, -unsent, SEEK_CUR);
      errno = error;
    }
    if (sent < 0) return total != 0 ? static_cast<ssize_t>(total) : -1;
    total += static_cast<size_t>(sent);
    if (unsent != 0) break;
  }
  return static_cast<ssize_t>(total);
}

int PrintTo(Connection& connection, int fd, const char* format, va_list arguments) {
  char* text = nullptr;
  const int length = vasprintf(&text, format, arguments);
  if (length < 0) return -1;
  int sent = 0;
  while (sent < length) {
    iovec vector = Vector(text + sent, static_cast<size_t>(length - sent));
    ssize_t part = SendOn(connection, fd, &vector, 1, 0);
    if (part < 0) break;
    sent += static_cast<int>(part);
  }
  free(text);
  return sent == length ? length : -1;
}

// The same calls where no connection is: `real` is the kernel's, but for sockets with an
// association.
template <typename Real>
ssize_t ReadPlainly(int fd, const iovec* vectors, int count, int flags, Real real) {
  return Associations::Has(fd) ? ReceiveOctets(fd, vectors, count, flags) : real();
}
template <typename Real>
ssize_t ReadVectorsPlainly(int fd, const iovec* vectors, int count, int flags, Real real) {
  return IsNothing(vectors, count) ? real() : ReadPlainly(fd, vectors, count, flags, real);
}
template <typename Real>
ssize_t WritePlainly(int fd, const iovec* vectors, int count, int flags, Real real) {
  return Associations::Has(fd) ? SendOctets(fd, vectors, count, flags) : real();
}
template <typename Real>
ssize_t WriteVectorsPlainly(int fd, const iovec* vectors, int count, int flags, Real real) {
  return IsNothing(vectors, count) ? real() : WritePlainly(fd, vectors, count, flags, real);
}

// A socket that is no connection of this process's: is it another's?
bool IsElsewhere(int fd) {
  return __builtin_expect(DescriptorTable::Get(fd) == DescriptorTable::Mark::kFreshSocket, 0) &&
         IsAnothersSession(fd);
}

// What most of a program's descriptors are. The commonest calls ask it before all else, and serve
// the others in a function of its own: its stack frame would cost more than the question.
bool IsNothingToUs(int fd) {
  return __builtin_expect(DescriptorTable::Get(fd) == DescriptorTable::Mark::kNone, 1);
}

}  // namespace
}  // namespace socksify

using namespace socksify;  // NOLINT: the functions below are libc's

// Serves a call on `connection`, if there is one, with `ours`; on any other descriptor with
// `theirs`.
#define SERVE_FOUND(fd, flags, ours, theirs)                                                \
  do {                                                                                      \
    if (connection) {                                                                       \
      const Path path = PathFor(*connection, fd, flags);                                    \
      if (path == Path::kError) return -1;                                                  \
      if (path == Path::kOurs) return (ours);                                               \
      connection = ConnectionRef(); /* nothing is held where the thread may be cancelled */ \
    } else if (IsElsewhere(fd)) {                                                           \
      return -1;                                                                            \
    }                                                                                       \
    return (theirs);                                                                        \
  } while (false)

#define SERVE(fd, flags, ours, theirs)                    \
  do {                                                    \
    ConnectionRef connection = DescriptorTable::Find(fd); \
    SERVE_FOUND(fd, flags, ours, theirs);                 \
  } while (false)

[[gnu::noinline]] static ssize_t Read(int fd, void* buffer, size_t count) {
  iovec vector;
  SERVE(
      fd, 0,
      count == 0 ? 0 : (vector = Vector(buffer, count), ReceiveOn(*connection, fd, &vector, 1, 0)),
      count == 0 ? real::read(fd, buffer, count)
                 : (vector = Vector(buffer, count),
                    ReadPlainly(fd, &vector, 1, 0, [&] { return real::read(fd, buffer, count); })));
}
EXPORT ssize_t read(int fd, void* buffer, size_t count) {
  return IsNothingToUs(fd) ? real::read(fd, buffer, count) : Read(fd, buffer, count);
}

[[gnu::noinline]] static ssize_t ReadVectors(int fd, const iovec* vectors, int count) {
  SERVE(fd, 0, ReadOn(*connection, fd, vectors, count, 0),
        ReadVectorsPlainly(fd, vectors, count, 0, [&] { return real::readv(fd, vectors, count); }));
}
EXPORT ssize_t readv(int fd, const iovec* vectors, int count) {
  return IsNothingToUs(fd) ? real::readv(fd, vectors, count) : ReadVectors(fd, vectors, count);
}

// preadv2 and pwritev2 take sockets with the offset -1; RWF_ flags other than none do not matter to
// streams.
EXPORT ssize_t preadv2(int fd, const iovec* vectors, int count, off_t offset, int flags) {
  const int receive_flags = (flags & RWF_NOWAIT) != 0 ? MSG_DONTWAIT : 0;
  SERVE(fd, receive_flags,
        offset != -1 ? FailWith(ESPIPE) : ReadOn(*connection, fd, vectors, count, receive_flags),
        ReadVectorsPlainly(offset == -1 ? fd : -1, vectors, count, receive_flags,
                           [&] { return real::preadv2(fd, vectors, count, offset, flags); }));
}

EXPORT ssize_t preadv64v2(int fd, const iovec* vectors, int count, off64_t offset, int flags) {
  return preadv2(fd, vectors, count, offset, flags);
}

[[gnu::noinline]] static ssize_t Receive(int fd, void* buffer, size_t count, int flags) {
  iovec vector;
  SERVE(fd, flags, (vector = Vector(buffer, count), ReceiveOn(*connection, fd, &vector, 1, flags)),
        (vector = Vector(buffer, count),
         ReadPlainly(fd, &vector, 1, flags, [&] { return real::recv(fd, buffer, count, flags); })));
}
EXPORT ssize_t recv(int fd, void* buffer, size_t count, int flags) {
  return IsNothingToUs(fd) ? real::recv(fd, buffer, count, flags)
                           : Receive(fd, buffer, count, flags);
}

EXPORT ssize_t recvfrom(int fd, void* buffer, size_t count, int flags, sockaddr* address,
                        socklen_t* length) {
  SERVE(fd, flags, ReceiveFrom(*connection, fd, Vector(buffer, count), flags, address, length),
        ReceiveDatagram(fd, buffer, count, flags, address, length));
}

EXPORT ssize_t recvmsg(int fd, msghdr* message, int flags) {
  ConnectionRef connection = DescriptorTable::Find(fd);
  Path path = connection ? PathFor(*connection, fd, flags) : Path::kReal;
  if (path == Path::kError || (!connection && IsElsewhere(fd))) return -1;
  if (path == Path::kOurs) {
    return ReceiveMessage(*connection, fd, message, flags);
  }
  connection = ConnectionRef();  // as in SERVE_FOUND
  ssize_t received = ReceiveDatagram(fd, message, flags);
  if (received >= 0) ForgetReceivedDescriptors(message);
  return received;
}

EXPORT int recvmmsg(int fd, mmsghdr* messages, unsigned count, int flags, timespec* timeout) {
  SERVE(fd, flags, ReceiveMessages(*connection, fd, messages, count, flags, timeout),
        ReceiveDatagrams(fd, messages, count, flags, timeout));
}

[[gnu::noinline]] static ssize_t Write(int fd, const void* buffer, size_t count) {
  iovec vector;
  SERVE(fd, 0, (vector = Vector(buffer, count), SendOn(*connection, fd, &vector, 1, 0)),
        (vector = Vector(buffer, count),
         WritePlainly(fd, &vector, 1, 0, [&] { return real::write(fd, buffer, count); })));
}
EXPORT ssize_t write(int fd, const void* buffer, size_t count) {
  return IsNothingToUs(fd) ? real::write(fd, buffer, count) : Write(fd, buffer, count);
}

[[gnu::noinline]] static ssize_t WriteVectors(int fd, const iovec* vectors, int count) {
  SERVE(
      fd, 0, WriteOn(*connection, fd, vectors, count, 0),
      WriteVectorsPlainly(fd, vectors, count, 0, [&] { return real::writev(fd, vectors, count); }));
}
EXPORT ssize_t writev(int fd, const iovec* vectors, int count) {
  return IsNothingToUs(fd) ? real::writev(fd, vectors, count) : WriteVectors(fd, vectors, count);
}

EXPORT ssize_t pwritev2(int fd, const iovec* vectors, int count, off_t offset, int flags) {
  const int send_flags = (flags & RWF_NOWAIT) != 0 ? MSG_DONTWAIT : 0;
  SERVE(fd, send_flags,
        offset != -1 ? FailWith(ESPIPE) : WriteOn(*connection, fd, vectors, count, send_flags),
        WriteVectorsPlainly(offset == -1 ? fd : -1, vectors, count, send_flags,
                            [&] { return real::pwritev2(fd, vectors, count, offset, flags); }));
}

EXPORT ssize_t pwritev64v2(int fd, const iovec* vectors, int count, off64_t offset, int flags) {
  return pwritev2(fd, vectors, count, offset, flags);
}

[[gnu::noinline]] static ssize_t Send(int fd, const void* buffer, size_t count, int flags) {
  iovec vector;
  SERVE(fd, flags, (vector = Vector(buffer, count), SendOn(*connection, fd, &vector, 1, flags)),
        (vector = Vector(buffer, count), WritePlainly(fd, &vector, 1, flags, [&] {
           return real::send(fd, buffer, count, flags);
         })));
}
EXPORT ssize_t send(int fd, const void* buffer, size_t count, int flags) {
  return IsNothingToUs(fd) ? real::send(fd, buffer, count, flags) : Send(fd, buffer, count, flags);
}

EXPORT ssize_t sendto(int fd, const void* buffer, size_t count, int flags, const sockaddr* address,
                      socklen_t length) {
  iovec vector = Vector(buffer, count);
  ConnectionRef connection = DescriptorTable::Find(fd);
  if (!connection || connection->phase() == Connection::Phase::kIdle) {
    if ((flags & MSG_FASTOPEN) != 0) {
      return ConnectAndSend(fd, address, length, &vector, 1, flags);
    }
    return IsElsewhere(fd) ? -1 : SendDatagram(fd, buffer, count, flags, address, length);
  }
  if ((flags & MSG_FASTOPEN) != 0) return FailWith(address == nullptr ? EINVAL : EISCONN);
  SERVE_FOUND(fd, flags, SendTo(*connection, fd, vector, flags, address, length),
              real::sendto(fd, buffer, count, flags, address, length));
}

EXPORT ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  ConnectionRef connection = DescriptorTable::Find(fd);
  const bool fast_open = (flags & MSG_FASTOPEN) != 0 && IsReadable(message, sizeof *message);
  if (!connection || connection->phase() == Connection::Phase::kIdle) {
    if (fast_open) {
      return ConnectAndSend(fd, static_cast<const sockaddr*>(message->msg_name),
                            message->msg_namelen, message->msg_iov, message->msg_iovlen, flags);
    }
    return IsElsewhere(fd) ? -1 : SendDirectly(fd, message, flags);
  }
  if (fast_open) return FailWith(message->msg_name == nullptr ? EINVAL : EISCONN);
  SERVE_FOUND(fd, flags, SendMessage(*connection, fd, message, flags),
              real::sendmsg(fd, message, flags));
}

EXPORT int sendmmsg(int fd, mmsghdr* messages, unsigned count, int flags) {
  ConnectionRef connection = DescriptorTable::Find(fd);
  if ((flags & MSG_FASTOPEN) != 0) return FailWith(connection ? EISCONN : EOPNOTSUPP);
  if (!connection) return IsElsewhere(fd) ? -1 : SendDirectly(fd, messages, count, flags);
  SERVE_FOUND(fd, flags, SendMessages(*connection, fd, messages, count, flags),
              real::sendmmsg(fd, messages, count, flags));
}

EXPORT ssize_t sendfile(int out, int in, off_t* offset, size_t count) noexcept {
  SERVE(out, 0, SendFile(*connection, out, in, offset, count),
        real::sendfile(out, in, offset, count));
}

EXPORT ssize_t sendfile64(int out, int in, off64_t* offset, size_t count) noexcept {
  return sendfile(out, in, offset, count);
}

// The kernel moves the octets.
EXPORT ssize_t splice(int in, off64_t* in_offset, int out, off64_t* out_offset, size_t count,
                      unsigned flags) {
  for (int fd : {in, out}) {
    ConnectionRef connection = DescriptorTable::Find(fd);
    const bool wait = (flags & SPLICE_F_NONBLOCK) == 0;
    if (!connection) continue;
    if (PathFor(*connection, fd, wait ? 0 : MSG_DONTWAIT) == Path::kError || !DetachDescriptor(fd))
      return -1;
  }
  return real::splice(in, in_offset, out, out_offset, count, flags);
}

// POSIX asynchronous I/O: libc's own threads read and write.
static bool DetachFor(const aiocb* control) {
  return !IsReadable(control, sizeof *control) || DetachDescriptor(control->aio_fildes);
}

EXPORT int aio_read(aiocb* control) noexcept {
  return DetachFor(control) ? real::aio_read(control) : -1;
}
EXPORT int aio_write(aiocb* control) noexcept {
  return DetachFor(control) ? real::aio_write(control) : -1;
}
EXPORT int lio_listio(int mode, aiocb* const list[], int count, sigevent* notify) noexcept {
  for (int i = 0; i < count; ++i) {
    if (list[i] != nullptr && !DetachFor(list[i])) return -1;
  }
  return real::lio_listio(mode, list, count, notify);
}
// On this architecture aiocb64 is aiocb by another name.
EXPORT int aio_read64(aiocb64* control) noexcept {
  return aio_read(reinterpret_cast<aiocb*>(control));
}
EXPORT int aio_write64(aiocb64* control) noexcept {
  return aio_write(reinterpret_cast<aiocb*>(control));
}
EXPORT int lio_listio64(int mode, aiocb64* const list[], int count, sigevent* notify) noexcept {
  return lio_listio(mode, reinterpret_cast<aiocb* const*>(list), count, notify);
}

EXPORT int vdprintf(int fd, const char* format, va_list arguments) {
  SERVE(fd, 0, PrintTo(*connection, fd, format, arguments), real::vdprintf(fd, format, arguments));
}

EXPORT int dprintf(int fd, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int printed = vdprintf(fd, format, arguments);
  va_end(arguments);
  return printed;
}

EXPORT ssize_t __read_chk(int fd, void* buffer, size_t count, size_t buffer_size) {
  if (count > buffer_size) __chk_fail();
  return read(fd, buffer, count);
}

EXPORT ssize_t __recv_chk(int fd, void* buffer, size_t count, size_t buffer_size, int flags) {
  if (count > buffer_size) __chk_fail();
  return recv(fd, buffer, count, flags);
}

EXPORT ssize_t __recvfrom_chk(int fd, void* buffer, size_t count, size_t buffer_size, int flags,
                              sockaddr* address, socklen_t* length) {
  if (count > buffer_size) __chk_fail();
  return recvfrom(fd, buffer, count, flags, address, length);
}

EXPORT int __vdprintf_chk(int fd, int flag, const char* format, va_list arguments) {
  SERVE(fd, 0, PrintTo(*connection, fd, format, arguments),
        real::__vdprintf_chk(fd, flag, format, arguments));
}

EXPORT int __dprintf_chk(int fd, int flag, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int printed = __vdprintf_chk(fd, flag, format, arguments);
  va_end(arguments);
  return printed;
}
