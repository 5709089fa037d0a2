"""Non-blocking connect, then an echo of 200 KB, waiting with the mechanism named; registered before or after connect."""

import hashlib
import random
import socket
import time

from common import arguments, name, resolve, say
from waiters import FAIL, MAKE, READ, WRITE

HANG = 90
host, port, (mechanism, order, *_) = arguments()
data = random.Random(3).randbytes(200_000)
family, address = resolve(host, port)
connection = socket.socket(family)
connection.setblocking(False)
waiter = MAKE[mechanism]()
if order == "before":
    waiter.add(connection.fileno())
    if mechanism.startswith("epoll"):
        waiter.wait(0)  # a fresh socket reports HUP and OUT: taken here, as event loops do
start = time.monotonic()
error = connection.connect_ex(address)
elapsed = time.monotonic() - start
if order == "after":
    waiter.add(connection.fileno())

first = waiter.wait(HANG)
so_error = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
peer = list(connection.getpeername()[:2]) if not so_error else None

sent, received, rounds, idle = 0, bytearray(), 0, 0
events = first
while not so_error and len(received) < len(data):
    moved = False
    if WRITE in events and sent < len(data):
        try:
            while sent < len(data):
                count = connection.send(data[sent:sent + 65536])
                sent += count
                moved = True
        except BlockingIOError:
            pass
        if sent == len(data):
            waiter.change(connection.fileno(), write=False)
    if READ in events:
        try:
            while piece := connection.recv(16384):
                received += piece
                moved = True
        except BlockingIOError:
            pass
    rounds += 1
    idle += not moved
    if len(received) < len(data):
        events = waiter.wait(HANG)
        if not events:
            break
say(connect=name(error), elapsed=elapsed, first=sorted(first), so_error=name(so_error), peer=peer, expected=list(address[:2]),
    failed=FAIL in first, intact=hashlib.sha256(received).digest() == hashlib.sha256(data).digest(),
    received=len(received), rounds=rounds, idle=idle)
