#!/usr/bin/python3
"""listener.py WHAT COUNT [...]: an ordinary server that says where it listens, and what came."""

import asyncio
import select
import signal
import socket
import subprocess
import sys

from common import name, say

PATIENCE = 60  # a guard against hangs


def listening(**how):
    made = socket.create_server(("127.0.0.1", 0), **how)
    made.settimeout(PATIENCE)
    return made


def announce(listener, **more):
    host, port = listener.getsockname()[:2]
    say(host=host, port=port, **more)


def serve(connection):
    digest = b""
    while data := connection.recv(65536):
        connection.sendall(data)
        digest += data
    return len(digest)


def blocking(count):
    """One connection after another, each said with where the listener is by then."""
    with listening() as listener:
        for _ in range(count):
            announce(listener)
            connection, peer = listener.accept()
            with connection:
                same = connection.getpeername() == peer
                say(peer=list(peer), same=same, octets=serve(connection))


def polling(count):
    """The same by epoll, edge-triggered and non-blocking."""
    with listening() as listener, select.epoll() as poll:
        listener.setblocking(False)
        poll.register(listener, select.EPOLLIN | select.EPOLLET)
        for _ in range(count):
            announce(listener)
            while True:
                try:
                    connection, peer = listener.accept()
                    break
                except BlockingIOError:
                    if not poll.poll(PATIENCE):
                        return say(stuck=True)
            connection.setblocking(True)
            with connection:
                say(peer=list(peer), same=connection.getpeername() == peer, octets=serve(connection))


async def handle(reader, writer):
    peer = writer.get_extra_info("peername")
    octets = 0
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
        octets += len(data)
    writer.close()
    say(peer=list(peer), same=True, octets=octets)
    handled.put_nowait(None)


async def serving(count):
    global handled
    handled = asyncio.Queue()
    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    for _ in range(count):
        announce(server.sockets[0])
        await asyncio.wait_for(handled.get(), PATIENCE)
    server.close()


def with_asyncio(count):
    asyncio.run(serving(count))


def attempt(_):
    """The step that fails, and how."""
    with socket.socket() as listener:
        listener.settimeout(PATIENCE)
        try:
            step = "bind"
            listener.bind(("127.0.0.1", 0))
            step = "listen"
            listener.listen(1)
            step = "getsockname"
            announce(listener)
            step = "accept"
            listener.accept()
        except OSError as error:  # Python's own timeout has no errno
            return say(step=step, error=name(error.errno) or "nothing")
    return say(step="done")


def inherited(_):
    """A child process accepts on it."""
    with listening() as listener:
        listener.setblocking(True)  # a description has one such flag, whoever has it
        announce(listener)
        listener.set_inheritable(True)
        child = ("import socket, sys; c, p = socket.socket(fileno=int(sys.argv[1])).accept(); c.sendall(c.recv(100)); "
                 "c.close()")
        sys.exit(subprocess.run([sys.executable, "-c", child, str(listener.fileno())], pass_fds=[listener.fileno()],
                                check=False).returncode)


def polled(listener, other):
    waiting = select.poll()
    for each in (listener, other):
        waiting.register(each, select.POLLIN)
    return [fd for fd, _ in waiting.poll()]


def selected(listener, other):
    return [each.fileno() for each in select.select([listener, other], [], [])[0]]


def beside(_, way, host, port):
    """Which of a listener and another connection have something, once one of them has."""
    with listening() as listener, socket.create_connection((host, int(port)), PATIENCE) as other:
        announce(listener)
        ready = {"polled": polled, "selected": selected}[way](listener, other)
        say(listener=listener.fileno() in ready, other=other.fileno() in ready)


def interrupted(_):
    """Accepts who has come when told to, while signals come again and again whose handler restarts nothing."""
    with listening() as listener:
        listener.setblocking(True)
        announce(listener)
        say(come=bool(select.select([listener], [], [], PATIENCE)[0]))
        sys.stdin.readline()
        signal.signal(signal.SIGALRM, lambda *_: None)
        signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
        connection, peer = listener.accept()
        signal.setitimer(signal.ITIMER_REAL, 0)
        with connection:
            say(peer=list(peer), same=connection.getpeername() == peer)


if __name__ == "__main__":
    what, count, *more = sys.argv[1:]
    globals()[what](int(count), *more)
