// A socket that no program reads any more, while the shim still sends what was written on it.
//
// The kernel answers octets that nobody has read, or that come after close(), with a reset, and
// drops what is unsent: or two ends that both wait for the other to read would wait for ever.
#ifndef SHIM_ORPHAN_H_
#define SHIM_ORPHAN_H_

namespace socksify {

enum class Unread : unsigned char { kNothing, kOctets, kEnd };

// What has come on `fd`. From now on poll() says so of a single octet. Takes nothing out but the
// message by which the server ends an SSL session: it comes as octets, and the kernel would answer
// it like any others.
Unread LookForUnread(int fd);

// Has the kernel octets of `fd` that it has not even sent once, since the peer takes no more now?
bool HasUnsent(int fd);

// What to poll() an orphan for that has something to send: more to come would be unread, too.
short OrphanEvents(Unread unread);

}  // namespace socksify

#endif  // SHIM_ORPHAN_H_
