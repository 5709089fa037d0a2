#!/usr/bin/python3
"""associated.py errors|insists HOST PORT: sockets of UDP while the agent is not there, or goes."""

import socket
import struct
import sys

from common import name, say


def attempt(call, *arguments):
    try:
        call(*arguments)
    except OSError as error:
        return name(error.errno)
    return None


def errors(to):
    with socket.socket(type=socket.SOCK_DGRAM) as one, socket.socket(type=socket.SOCK_DGRAM) as other:
        say(sendto=attempt(one.sendto, b"x", to), connect=attempt(other.connect, to), again=attempt(one.sendto, b"x", to))


def until_answered(send, receive):
    """How many datagrams it takes."""
    for number in range(1, 100):
        try:
            send(b"%d" % number)
            while (answer := receive(100)) != b"%d" % number:
                assert int(answer) < number
            return number
        except OSError:
            continue
    return None


def insists(to):
    with socket.socket(type=socket.SOCK_DGRAM) as one, socket.socket(type=socket.SOCK_DGRAM) as other:
        for plain in (one, other):
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 5, 0))
        one.connect(to)
        for _ in range(2):
            say(connected=until_answered(one.send, one.recv),
                unconnected=until_answered(lambda data: other.sendto(data, to), other.recv))
            sys.stdin.readline()


if __name__ == "__main__":
    what, host, port = sys.argv[1:]
    globals()[what]((host, int(port)))
