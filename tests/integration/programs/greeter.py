"""Reads to EOF first, then goes on writing SIZE octets and closes: a half-close of the other side."""

import hashlib
import random
import socket

from common import arguments, read_to_end, resolve, say

host, port, more = arguments()
data = random.Random(2).randbytes(int(more[0]))
family, address = resolve(host, port)
connection = socket.socket(family)
connection.connect(address)
octets, sha256, end = read_to_end(connection)
connection.sendall(data)
connection.close()
say(octets=octets, sha256=sha256, end=end, sent=hashlib.sha256(data).hexdigest())
