"""Reads a stream 7 octets at a time without blocking, counting what it costs: a stall hangs, a spin shows in the counts.

MODE `drain` reads until EAGAIN after each wake-up; `single` reads once per wake-up (level-triggered only).
"""

import hashlib
import socket

from common import arguments, resolve, say
from waiters import MAKE

host, port, (mechanism, mode, line) = arguments()
family, address = resolve(host, port)
connection = socket.socket(family)
connection.connect(address)
connection.sendall(line.encode() + b"\n")
connection.setblocking(False)
waiter = MAKE[mechanism]()
waiter.add(connection.fileno(), write=False)

digest = hashlib.sha256()
octets = reads = refused = wakeups = spurious = 0
end = stalled = False
while not end:
    if not waiter.wait(90):
        stalled = True
        break
    wakeups += 1
    before = octets
    try:
        while True:
            reads += 1
            piece = connection.recv(7)
            if not piece:
                end = True
                break
            digest.update(piece)
            octets += len(piece)
            if mode == "single":
                break
    except BlockingIOError:
        refused += 1
    spurious += octets == before and not end
say(octets=octets, sha256=digest.hexdigest(), reads=reads, refused=refused, wakeups=wakeups, spurious=spurious, stalled=stalled)
