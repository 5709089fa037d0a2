"""COUNT threads, each with its own connection, each echoing SIZE octets that are its own."""

import random
import socket
import threading

from common import arguments, say

host, port, (count, size) = arguments()
failures = []


def echo(number):
    data = random.Random(number).randbytes(int(size))
    try:
        with socket.create_connection((host, port)) as connection:
            writer = threading.Thread(target=connection.sendall, args=(data,))
            writer.start()
            received = bytearray()
            while len(received) < len(data):
                piece = connection.recv(65536)
                if not piece:
                    break
                received += piece
            writer.join()
            if received != data:
                failures.append(f"{number}: {len(received)} octets, not what was sent")
    except OSError as error:
        failures.append(f"{number}: {error}")


threads = [threading.Thread(target=echo, args=(number,)) for number in range(int(count))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
say(failures=failures)
