"""multiprocessing, by fork and by spawn: each process makes its own connection, then is handed the parent's, and echoes."""

import multiprocessing
import random
import socket

from common import arguments, say

host, port, rest = arguments()


def echo(connection, seed):
    data = random.Random(seed).randbytes(50_000)
    connection.sendall(data)
    received = bytearray()
    while len(received) < len(data):
        piece = connection.recv(65536)
        if not piece:
            break
        received += piece
    return received == data


def own(number):
    with socket.create_connection((host, port)) as connection:
        return echo(connection, number)


def handed(queue, connection, number):
    with connection:
        queue.put(echo(connection, number))


def main():
    failures = []
    for method in ("fork", "spawn"):
        context = multiprocessing.get_context(method)
        with context.Pool(int(rest[0])) as pool:
            failures += [f"{method} own {n}" for n, good in enumerate(pool.map(own, range(8))) if not good]
        with socket.create_connection((host, port)) as connection:
            queue = context.Queue()
            process = context.Process(target=handed, args=(queue, connection, 1))
            process.start()
            if not queue.get(timeout=60):
                failures.append(f"{method} handed")
            process.join()
            if not echo(connection, 2):
                failures.append(f"{method} afterwards")
    say(failures=failures)


if __name__ == "__main__":
    main()
