"""epoll (level, edge), poll and select behind one face, so that a program can be run with each of them."""

import select

READ, WRITE, FAIL = "read", "write", "fail"


class Epoll:
    def __init__(self, edge):
        self._flags = select.EPOLLIN | select.EPOLLOUT | (select.EPOLLET if edge else 0)
        self._read_flags = select.EPOLLIN | (select.EPOLLET if edge else 0)
        self._epoll = select.epoll()

    def add(self, descriptor, write=True):
        self._epoll.register(descriptor, self._flags if write else self._read_flags)

    def change(self, descriptor, write):
        self._epoll.modify(descriptor, self._flags if write else self._read_flags)

    def wait(self, seconds):
        """A set of READ, WRITE, FAIL; empty on timeout."""
        return {event for _, mask in self._epoll.poll(seconds) for event, bits in (
            (READ, select.EPOLLIN), (WRITE, select.EPOLLOUT), (FAIL, select.EPOLLERR | select.EPOLLHUP)) if mask & bits}


class Poll:
    def __init__(self):
        self._poll = select.poll()

    def add(self, descriptor, write=True):
        self._poll.register(descriptor, select.POLLIN | (select.POLLOUT if write else 0))

    change = add

    def wait(self, seconds):
        return {event for _, mask in self._poll.poll(seconds * 1000) for event, bits in (
            (READ, select.POLLIN), (WRITE, select.POLLOUT), (FAIL, select.POLLERR | select.POLLHUP)) if mask & bits}


class Select:
    def add(self, descriptor, write=True):
        self._descriptor, self._write = descriptor, write

    change = add

    def wait(self, seconds):
        want = [self._descriptor]
        readable, writable, _ = select.select(want, want if self._write else [], [], seconds)
        return ({READ} if readable else set()) | ({WRITE} if writable else set())


MAKE = {"epoll-level": lambda: Epoll(False), "epoll-edge": lambda: Epoll(True), "poll": Poll, "select": Select}
