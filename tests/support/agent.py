"""socksify-gss-agent as the shim asks it: lib/io/agent_protocol.h in Python."""

import ipaddress
import os
import socket
import struct
from typing import NamedTuple

from support.helper import Helper
from support.process import HANG

ASSOCIATE, LISTEN, REACH, WHO_IS, MOVED, STATE = range(1, 7)
NOWHERE = ("0.0.0.0", 0)


def encode_address(address):
    """ATYP ADDR PORT of (host, port): what is no IP address is a name."""
    host, port = address[:2]
    try:
        ip = ipaddress.ip_address(host)
        return bytes([1 if ip.version == 4 else 4]) + ip.packed + struct.pack(">H", port)
    except ValueError:
        return bytes([3, len(host)]) + host.encode() + struct.pack(">H", port)


def decode_address(octets):
    """((host, port), what follows)."""
    kind = octets[0]
    start, size = (2, octets[1]) if kind == 3 else (1, {1: 4, 4: 16}[kind])
    host, rest = octets[start:start + size], octets[start + size:]
    text = host.decode() if kind == 3 else str(ipaddress.ip_address(host))
    return (text, *struct.unpack(">H", rest[:2])), rest[2:]


class Reply(NamedTuple):
    error: int
    max_data: int
    stand_in: tuple
    peer: tuple
    bound: tuple
    message: str


def decode_reply(octets):
    (error, max_data), rest = struct.unpack(">HI", octets[:6]), octets[6:]
    stand_in, rest = decode_address(rest)
    peer, rest = decode_address(rest)
    bound, rest = decode_address(rest)
    assert struct.unpack(">H", rest[:2])[0] == len(rest) - 2
    return Reply(error, max_data, stand_in, peer, bound, rest[2:].decode())


class Asked:
    """A request under way. `reply` waits for it; None: there will be none."""

    def __init__(self, over, kind, *, wait=False, own=NOWHERE, peer=NOWHERE, give=()):
        self.pipe, theirs = os.pipe()
        octets = bytes([kind, wait]) + encode_address(own) + encode_address(peer)
        try:
            socket.send_fds(over, [octets], [theirs, *[d.fileno() for d in give]])
        finally:
            os.close(theirs)

    def reply(self):
        with os.fdopen(self.pipe, "rb") as pipe:
            octets = pipe.read()
        return decode_reply(octets) if octets else None


class Channel:
    """The application's end of what was asked for over `agent`'s control socket."""

    def __init__(self, agent, kind, own):
        self.socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self.asked = Asked(agent.control, kind, own=own, give=[theirs])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def ask(self, kind, **fields):
        return Asked(self.socket, kind, **fields).reply()

    def state(self):
        return self.ask(STATE)


class Association(Channel):
    """With the UDP socket that it is for. `send` and `receive` do as the shim."""

    def __init__(self, agent, host="127.0.0.1"):
        self.udp = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind((host, 0))
        self.udp.settimeout(HANG)
        super().__init__(agent, ASSOCIATE, self.udp.getsockname())
        assert self.asked.reply().error == 0
        self.stand_ins = {}

    def __exit__(self, *_):
        self.udp.close()
        super().__exit__()

    def reach(self, *peer, wait=True):
        reply = self.ask(REACH, peer=peer, wait=wait)
        if reply.error == 0:
            self.stand_ins[peer] = reply.stand_in
        return reply

    def send(self, data, *peer):
        if peer not in self.stand_ins:
            reply = self.reach(*peer)
            assert reply.error == 0, reply
        self.udp.sendto(data, self.stand_ins[peer])

    def receive(self):
        """(data, whose)."""
        data, stand_in = self.udp.recvfrom(1 << 16)
        reply = self.ask(WHO_IS, peer=stand_in)
        assert reply.error == 0, stand_in
        return data, reply.peer


class Agent(Helper):
    def __init__(self, env):
        super().__init__("socksify-gss-agent", env)

    def ask(self, kind, **fields):
        return Asked(self.control, kind, **fields).reply()
