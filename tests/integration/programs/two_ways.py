"""One connection, one thread writing and another reading it at the same time."""

import hashlib
import random
import socket
import threading

from common import arguments, read_to_end, say

host, port, (size,) = arguments()
data = random.Random(4).randbytes(int(size))
connection = socket.create_connection((host, port))
result = {}


def read():
    result["octets"], result["sha256"], result["end"] = read_to_end(connection)


reader = threading.Thread(target=read)
reader.start()
for start in range(0, len(data), 50_000):
    connection.sendall(data[start:start + 50_000])
connection.shutdown(socket.SHUT_WR)
reader.join()
say(sent=hashlib.sha256(data).hexdigest(), **result)
