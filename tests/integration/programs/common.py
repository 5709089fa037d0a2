"""What the small programs share. They know nothing of SOCKS: each is an ordinary network program that reports as JSON."""

import errno
import hashlib
import json
import socket
import sys


def say(**facts):
    print(json.dumps(facts), flush=True)


def name(code):
    """EINPROGRESS for 115; None for 0."""
    return errno.errorcode.get(code, str(code)) if code else None


def resolve(host, port):
    """(family, address) as any program would ask."""
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    return family, address


def read_to_end(connection, size=65536):
    """(octets, sha256, how it ended: "EOF" or an errno's name)."""
    digest, octets = hashlib.sha256(), 0
    try:
        while data := connection.recv(size):
            digest.update(data)
            octets += len(data)
    except OSError as error:
        return octets, digest.hexdigest(), name(error.errno)
    return octets, digest.hexdigest(), "EOF"


def arguments():
    """HOST PORT and the rest."""
    return sys.argv[1], int(sys.argv[2]), sys.argv[3:]
