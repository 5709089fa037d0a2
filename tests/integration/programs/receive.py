"""Connects, sends a line if one is given, reads to the end; says what came and how it ended."""

import socket
import sys

from common import arguments, name, read_to_end, resolve, say

host, port, more = arguments()
family, address = resolve(host, port)
connection = socket.socket(family)
error = connection.connect_ex(address)
if error:
    say(error=name(error))
    sys.exit()
if more:
    connection.sendall(more[0].encode() + b"\n")
octets, sha256, end = read_to_end(connection)
say(error=None, octets=octets, sha256=sha256, end=end)
