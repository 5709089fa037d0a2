"""Reads the endless lines of chargen and checks them; says `ready` after the first, then how it ended."""

import socket

from common import arguments, name, resolve, say

host, port, more = arguments()
expected = b"".join(b"%06d PLAINTEXT-MARKER-7c1e5a\n" % n for n in range(4096))
family, address = resolve(host, port)
connection = socket.socket(family)
connection.connect(address)
octets, good, end = 0, True, "EOF"
try:
    while data := connection.recv(len(expected)):
        at = octets % len(expected)
        good = good and (expected + expected)[at:at + len(data)] == data
        octets += len(data)
        if octets == len(data):
            say(ready=True)
except OSError as error:
    end = name(error.errno)
say(octets=octets, good=good, end=end)
