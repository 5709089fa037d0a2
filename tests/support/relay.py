"""socksify-gss-relay as a test starts it, and real sessions to hand over to it."""

import os
import socket
import struct
import subprocess

from support.helper import Helper
from support.process import HANG
from support.servers import base_env, built

RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close() sends RST


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    connection.close()


def read_to_end(connection):
    """All that comes, and how it ends: "EOF" or "ECONNRESET"."""
    data = bytearray()
    try:
        while piece := connection.recv(1 << 16):
            data += piece
    except ConnectionResetError:
        return bytes(data), "ECONNRESET"
    return bytes(data), "EOF"


def tcp_pair():
    """Two ends of a loopback connection; the second is the accepted one."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        near = socket.create_connection(listener.getsockname())
        far, _ = listener.accept()
    for end in (near, far):
        end.settimeout(HANG)
    return near, far


class Relay(Helper):
    def __init__(self, realm):
        super().__init__("socksify-gss-relay", base_env(realm.env))

    def give(self, message, *descriptors):
        socket.send_fds(self.control, [message], [getattr(d, "fileno", lambda d=d: d)() for d in descriptors])

    def hand_over(self, server, state):
        """Returns the end that the application would have."""
        near, far = tcp_pair()
        with far:
            self.give(b"\0", server, far, state)
        server.close()
        os.close(state)
        return near


class SessionMaker:
    """`make` yields the socket to the server and the state's descriptor of each session to `target`."""

    def __init__(self, realm):
        self.env = base_env(realm.env)

    def make(self, server, target, *options, count=1):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        host, port = target.getsockname()
        if ca := server.client_env.get("SOCKSIFY_TLS_CA"):
            options = (*options, f"ca={ca}")
        ours.settimeout(HANG)
        argv = [built("session-maker"), f"{server.host}:{server.port}", f"{host}:{port}", str(count), *options]
        with subprocess.Popen(argv, stdin=theirs, stderr=subprocess.PIPE, env=self.env) as process, ours:
            theirs.close()
            for _ in range(count):
                octet, fds, _, _ = socket.recv_fds(ours, 1, 2)
                if not octet:
                    raise RuntimeError(process.stderr.read().decode())
                yield socket.socket(fileno=fds[0]), fds[1]
