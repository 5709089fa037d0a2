"""socksify-gss-relay as a test starts it, and real sessions to hand over to it."""

import contextlib
import os
import socket
import struct
import subprocess

from support.process import HANG
from support.servers import base_env, built

RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close() sends RST


def version():
    out = subprocess.run([built("socksify-gss"), "--version"], capture_output=True, text=True, check=True).stdout
    return out.split()[-1]


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


class Relay:
    """Its standard output is a pipe instead of /dev/null: nothing may come there, and its end is the relay's."""

    def __init__(self, realm):
        self.env = base_env(realm.env)
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.control.settimeout(HANG)
        self.output, write_end = os.pipe()
        with theirs:
            started = subprocess.Popen([built("socksify-gss-relay"), version()], stdin=theirs, stdout=write_end,
                                       stderr=write_end, env=self.env)
        os.close(write_end)
        self.session_id = started.pid
        assert started.wait(HANG) == 0

    @property
    def pid(self):
        """Of the process that goes on: the one in the session that the first has made."""
        for entry in os.listdir("/proc"):
            with contextlib.suppress(OSError):
                if entry.isdigit() and os.getsid(int(entry)) == self.session_id:
                    return int(entry)
        raise ProcessLookupError("the relay has ended")

    def status(self, field):
        with open(f"/proc/{self.pid}/status", encoding="ascii") as lines:
            return next(line.split(":")[1].strip() for line in lines if line.startswith(field + ":"))

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

    def await_end(self):
        """It ends by itself, and has said nothing."""
        with os.fdopen(self.output, "rb") as output:
            said = output.read()
        assert said == b"", said.decode(errors="replace")


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
