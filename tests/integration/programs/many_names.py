"""many_names.py PROCESSES NAMES: so many processes resolve so many names at once, the same ones, each in an order of its own.

Prints whether all of them were told the same, each name an address of its own, and each address its name again.
"""

import json
import os
import random
import socket
import sys


def resolve(seed, count, path):
    order = list(range(count))
    random.Random(seed).shuffle(order)
    found = [""] * count
    for number in order:
        found[number] = socket.gethostbyname(f"host{number}.example")
    with open(path, "w", encoding="ascii") as out:
        out.write("\n".join(found))


def main():
    processes, count = int(sys.argv[1]), int(sys.argv[2])
    paths = [f"found.{seed}" for seed in range(processes)]
    children = []
    for seed, path in enumerate(paths):
        children.append(os.fork())
        if children[-1] == 0:
            resolve(seed, count, path)
            os._exit(0)
    statuses = [os.waitpid(child, 0)[1] for child in children]
    told = []
    for path in paths:
        with open(path, encoding="ascii") as lines:
            told.append(lines.read().split("\n"))
    back = [socket.gethostbyaddr(told[0][number])[0] == f"host{number}.example" for number in range(0, count, 97)]
    print(json.dumps({"statuses": statuses, "same": all(one == told[0] for one in told), "different": len(set(told[0])),
                      "back": all(back)}))


if __name__ == "__main__":
    main()
