"""full_map.py: asks for names until there is no address left for another; what the calls say then, and of an old name."""

import json
import socket
import struct

FIRST = "name0.example"


def main():
    first, count = socket.gethostbyname(FIRST), 1
    try:
        while count < 1 << 18:
            socket.getaddrinfo(f"name{count}.example", 80, type=socket.SOCK_STREAM)
            count += 1
    except socket.gaierror as error:
        full = error.errno
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain:
        plain.settimeout(60)
        plain.connect(("192.0.2.53", 53))
        plain.send(struct.pack("!6H", 1, 0, 1, 0, 0, 0) + b"\3new\7example\0\0\1\0\1")
        code = plain.recv(512)[3] & 15
    print(json.dumps({"count": count, "full": full, "code": code, "first": socket.gethostbyname(FIRST) == first}))


if __name__ == "__main__":
    main()
