"""Sends SIZE octets, shuts its writing side, reads to the end; says what came."""

import hashlib
import random
import socket

from common import arguments, resolve, say

host, port, more = arguments()
data = random.Random(1).randbytes(int(more[0]))
family, address = resolve(host, port)
connection = socket.socket(family)
connection.connect(address)
connection.sendall(data)
connection.shutdown(socket.SHUT_WR)
reply = bytearray()
while piece := connection.recv(65536):
    reply += piece
say(sent=hashlib.sha256(data).hexdigest(), octets=len(reply), received=hashlib.sha256(reply).hexdigest(),
    head=reply[:64].decode(errors="replace"))
