"""Starts a non-blocking connect and says so; on each line of stdin says what every mechanism reports without waiting;
at `wait` waits for the end with the mechanism named. For handshakes that hang or fail."""

import socket
import sys
import time

from common import arguments, name, resolve, say
from waiters import MAKE

host, port, (mechanism, *_) = arguments()
family, address = resolve(host, port)
connection = socket.socket(family)
connection.setblocking(False)
waiters = {kind: make() for kind, make in MAKE.items()}
start = time.monotonic()
error = connection.connect_ex(address)
say(connect=name(error), elapsed=time.monotonic() - start)
for waiter in waiters.values():
    waiter.add(connection.fileno())
for line in sys.stdin:
    if line.strip() == "wait":
        events = waiters[mechanism].wait(90)
        so_error = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        again = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        say(events=sorted(events), so_error=name(so_error), again=name(again))
        break
    say(**{kind: sorted(waiter.wait(0)) for kind, waiter in waiters.items()})
