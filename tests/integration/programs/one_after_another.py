"""COUNT connections, each after the end of the last, each echoing SIZE octets that are its own."""

import random
import socket

from common import arguments, say

host, port, (count, size) = arguments()
good = 0
for number in range(int(count)):
    data = random.Random(number).randbytes(int(size))
    with socket.create_connection((host, port)) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while piece := connection.recv(65536):
            received += piece
        good += received == data
say(good=good)
