"""refused_options.py HOST PORT: asks for what a session cannot have, and what is left of it; prints the answers as JSON."""

import ctypes
import socket
import struct

from common import arguments, name, say

MSG_ZEROCOPY = 0x4000000
SO_ZEROCOPY = 60
SO_ATTACH_FILTER = 26
TCP_REPAIR = 19
TCP_ULP = 31
TCP_ZEROCOPY_RECEIVE = 35


def answer(call, *parameters):
    try:
        return call(*parameters)
    except OSError as error:
        return name(error.errno)


def accept_all():
    """A struct sock_fprog of one instruction, and what it points at."""
    instruction = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0xFFFFFFFF))  # BPF_RET
    return struct.pack("HxxxxxxQ", 1, ctypes.addressof(instruction)), instruction


def echo(session):
    session.sendall(b"still here")
    return session.recv(10, socket.MSG_WAITALL).decode()


host, port, _ = arguments()
program, memory = accept_all()
with socket.create_connection((host, port)) as session:
    refused = {
        "filter": answer(session.setsockopt, socket.SOL_SOCKET, SO_ATTACH_FILTER, program),
        "zero copy": answer(session.setsockopt, socket.SOL_SOCKET, SO_ZEROCOPY, 1),
        "kernel TLS": answer(session.setsockopt, socket.IPPROTO_TCP, TCP_ULP, b"tls"),
        "repair": answer(session.setsockopt, socket.IPPROTO_TCP, TCP_REPAIR, 1),
        "zero-copy receive": answer(session.getsockopt, socket.IPPROTO_TCP, TCP_ZEROCOPY_RECEIVE, 40),
        "urgent": answer(session.send, b"!", socket.MSG_OOB),
        "flag alone": answer(session.send, b"", MSG_ZEROCOPY),
        "session": echo(session),
    }
with socket.socket() as session:
    session.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)
    refused["filter before"] = answer(session.connect, (host, port))
with socket.socket() as session:
    session.setsockopt(socket.SOL_SOCKET, SO_ZEROCOPY, 1)
    session.connect((host, port))
    refused["zero copy before"] = [session.getsockopt(socket.SOL_SOCKET, SO_ZEROCOPY),
                                   answer(session.send, b"x", MSG_ZEROCOPY), echo(session)]
say(**refused)
