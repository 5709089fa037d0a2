"""Connects, has SIZE octets echoed, and ends without closing."""

import os
import socket

from common import arguments, resolve, say

host, port, (size,) = arguments()
family, address = resolve(host, port)
connection = socket.socket(family)
connection.connect(address)
connection.sendall(b"x" * int(size))
left = int(size)
while left:
    left -= len(connection.recv(left))
say(sent=int(size))
os._exit(0)
