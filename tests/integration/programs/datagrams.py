#!/usr/bin/python3
"""datagrams.py WHAT HOST PORT [...]: an ordinary program of UDP; what it saw as JSON."""

import asyncio
import resource
import select
import socket
import struct
import sys
import time

from common import name, say

PATIENCE = 60  # a guard against hangs


def connected(host, port, **how):
    made = socket.socket(how.pop("family", socket.AF_INET), socket.SOCK_DGRAM)
    made.settimeout(how.pop("timeout", PATIENCE))
    made.connect((host, port))
    return made


def echo(host, port, *sizes):
    """Each size there and back, by name, connected and not."""
    same, sources = [], set()
    with connected(host, port) as one, socket.socket(type=socket.SOCK_DGRAM) as other:
        other.settimeout(PATIENCE)
        to = one.getpeername()
        for size in map(int, sizes):
            data = bytes(n * 31 & 0xFF for n in range(size))
            one.send(data)
            same.append(one.recv(65536) == data)
            other.sendto(data, to)
            back, source = other.recvfrom(65536)
            same.append(back == data)
            sources.add(source == to)
    say(same=all(same), count=len(same), sources=sorted(sources))


def attempt(host, port, text):
    """What one datagram of a blocking socket comes to: the errno of sending, of receiving, or the answer."""
    with socket.socket(type=socket.SOCK_DGRAM) as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", PATIENCE, 0))
        for step in ("connect", "send", "recv"):
            try:
                if step == "connect":
                    one.connect((host, port))
                elif step == "send":
                    one.send(text.encode())
                else:
                    return say(step="done", answer=one.recv(65536).decode(errors="replace"))
            except BlockingIOError:
                return say(step=step, error="nothing")
            except OSError as error:
                return say(step=step, error=name(error.errno))


def attempt_nonblocking(host, port, text):
    """The same question until it is answered, or the socket says why not."""
    deadline = time.monotonic() + PATIENCE
    with connected(host, port, timeout=0.1) as one:
        while time.monotonic() < deadline:
            try:
                one.send(text.encode())
                return say(answer=one.recv(65536).decode(errors="replace"))
            except TimeoutError:
                continue
            except OSError as error:
                return say(error=name(error.errno))
    return say(error="nothing")


def answers(host, port, *texts):
    """Sends all, then says what comes until nothing does for a while."""
    said = []
    with connected(host, port) as one:
        for text in texts:
            one.send(text.encode())
        one.send(b"the last")
        while True:
            data = one.recv(65536)
            if data == b"the last":
                break
            said.append(data.decode(errors="replace") if len(data) < 100 else len(data))
        one.settimeout(0.5)
        try:
            while True:
                data = one.recv(65536)
                said.append(data.decode(errors="replace") if len(data) < 100 else len(data))
        except TimeoutError:
            pass
    say(answers=said)


def numbered(number):
    return b"%d " % number * 50


def reliable(host, port, count):
    """Numbered datagrams, each sent until its answer has come: none altered, whatever the way does to them."""
    wrong = sent = 0
    with connected(host, port, timeout=0.15) as one:
        for number in range(int(count)):
            deadline = time.monotonic() + PATIENCE
            answered = False
            while not answered and time.monotonic() < deadline:
                one.send(numbered(number))
                sent += 1
                try:
                    while not answered:
                        back = one.recv(65536)
                        wrong += not any(back == numbered(earlier) for earlier in range(number + 1))
                        answered = back == numbered(number)
                except TimeoutError:
                    pass
            if not answered:
                return say(stuck=number)
    return say(done=int(count), wrong=wrong, sent=sent)


def counted(host, port, count):
    """Numbered datagrams, once each: how many answers came, and how many of them again."""
    seen = []
    with connected(host, port) as one:
        for number in range(int(count)):
            one.send(numbered(number))
        one.settimeout(0.1)
        over = 0
        while over < 3:  # behind one that the way holds back
            try:
                data = one.recv(65536)
                over += data == b"over"
                seen += [data] if data != b"over" else []
            except TimeoutError:
                one.send(b"over")
    known = {numbered(number) for number in range(int(count))}
    say(seen=len(seen), twice=len(seen) - len(set(seen)), wrong=sum(data not in known for data in seen))


def insist(host, port, count):
    """One question until it is answered, `count` times on one socket, errors or not; waits for a line before each."""
    errors = set()
    with connected(host, port, timeout=0.5) as one:
        for number in range(int(count)):
            if number:
                sys.stdin.readline()
            data = b"question %d" % number
            deadline = time.monotonic() + PATIENCE
            while time.monotonic() < deadline:
                try:
                    one.send(data)
                    if one.recv(65536) == data:
                        break
                except OSError as error:
                    errors.add(name(error.errno) or "nothing")
                    time.sleep(0.02)
            else:
                return say(stuck=number, errors=sorted(errors))
            say(answered=number)
    return say(done=int(count), errors=sorted(errors))


def many(host, port, count):
    """So many sockets at once, each with its own answers, twice."""
    count = int(count)
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    waiting, right = {}, 0
    poll = select.epoll()
    ones = []
    for number in range(count):
        one = connected(host, port)
        one.setblocking(False)
        ones.append(one)
        poll.register(one, select.EPOLLIN)
    for turn in range(2):
        for number, one in enumerate(ones):
            one.send(b"%d of %d" % (number, turn))
            waiting[one.fileno()] = one, b"%d of %d" % (number, turn)
        deadline = time.monotonic() + 120
        while waiting and time.monotonic() < deadline:
            for fd, _ in poll.poll(1):
                one, expected = waiting[fd]
                right += one.recv(100) == expected
                del waiting[fd]
    say(right=right, missing=len(waiting))


class Echo(asyncio.DatagramProtocol):
    def __init__(self, count):
        self.count, self.seen, self.errors = count, set(), []
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        for number in range(self.count):
            transport.sendto(b"%d" % number)

    def datagram_received(self, data, addr):
        self.seen.add(int(data))
        if len(self.seen) == self.count:
            self.done.set_result(None)

    def error_received(self, exc):
        self.errors.append(str(exc))


async def endpoints(host, port, count):
    loop = asyncio.get_running_loop()
    made = await asyncio.gather(*(loop.create_datagram_endpoint(lambda: Echo(20), remote_addr=(host, port))
                                  for _ in range(int(count))))
    await asyncio.wait_for(asyncio.gather(*(protocol.done for _, protocol in made)), 60)
    for transport, _ in made:
        transport.close()
    say(done=sum(len(protocol.seen) for _, protocol in made), errors=[e for _, p in made for e in p.errors])


def with_asyncio(host, port, count):
    asyncio.run(endpoints(host, port, count))


def closes(host, port):
    """Uses one socket, closes it, tells so, and stays."""
    with connected(host, port) as one:
        one.send(b"hello")
        one.recv(100)
        say(used=True)
    say(closed=True)
    sys.stdin.readline()


def waits(host, port):
    """A bound socket that is used once, and then listens to whoever comes: what came until a line is read."""
    with socket.socket(type=socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        one.settimeout(PATIENCE)
        one.sendto(b"hello", (host, port))
        one.recvfrom(100)
        say(port=one.getsockname()[1])
        sys.stdin.readline()
        one.sendto(b"the last", (host, port))
        said = []
        while (data := one.recvfrom(100)[0]) != b"the last":
            said.append(data.decode())
        say(came=said)


def waits_connected(host, port):
    """As `waits`, connected."""
    with connected(host, port) as one:
        one.send(b"hello")
        one.recv(100)
        say(port=one.getsockname()[1])
        sys.stdin.readline()
        one.send(b"the last")
        said = []
        while (data := one.recv(100)) != b"the last":
            said.append(data.decode())
        say(came=said)


if __name__ == "__main__":
    what, where, at, *more = sys.argv[1:]
    globals()[what](where, int(at), *more)
