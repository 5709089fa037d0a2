"""One blocking connect; says its errno, and what the kernel's address calls answer."""

import socket

from common import arguments, name, resolve, say

host, port, _ = arguments()
family, address = resolve(host, port)
with socket.socket(family) as connection:
    error = connection.connect_ex(address)
    peer = None if error else list(connection.getpeername()[:2])
    say(error=name(error), peer=peer, expected=list(address[:2]))
