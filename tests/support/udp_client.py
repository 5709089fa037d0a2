"""An independent client of UDP ASSOCIATE: one socket, each datagram sealed in the context of the control connection.

    association = Association(SocksGssClient(server).login(context=unordered_context()))
    association.send(b"hello", "origin.test", 7)
    host, port, data = association.recv()
"""

import socket

from support import wire
from support.gss_session import UNORDERED_FLAGS
from support.process import HANG
from support.socks_gss_client import SocksGssClient

BUFFER = 1 << 16


def unordered_context(**how):
    """For a session whose datagrams may be lost and overtake each other."""
    return SocksGssClient.new_context(flags=UNORDERED_FLAGS, **how)


class Association:
    """`client` is past its login. `relay` is where the server takes datagrams."""

    def __init__(self, client, host="0.0.0.0", port=0, timeout=HANG):
        self.client = client
        bound, relay_port = client.request(host, port, command=wire.UDP_ASSOCIATE)
        server = client.socket.getpeername()[0]
        self.relay = (server if bound in ("0.0.0.0", "::") else bound), relay_port
        self.socket = self.new_socket(timeout)
        self.socket.connect(self.relay)

    def new_socket(self, timeout=HANG):
        made = socket.socket(wire.family(self.relay[0]), socket.SOCK_DGRAM)
        made.settimeout(timeout)
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            made.setsockopt(socket.SOL_SOCKET, option, 1 << 22)
        return made

    def seal(self, plain):
        return self.client.seal(plain) if self.client.gss else plain

    def datagram(self, data, host, port, atyp=None, fragment=0):
        """As it goes on the wire."""
        return self.seal(wire.encode_datagram(host, port, data, atyp, fragment))

    def raw(self, octets):
        self.socket.send(octets)

    def send(self, data, host, port, atyp=None):
        self.raw(self.datagram(data, host, port, atyp))

    def recv_raw(self):
        return self.socket.recv(BUFFER)

    def open(self, datagram):
        """(host, port, data)."""
        if self.client.gss:
            datagram = self.client.gss.open(wire.datagram_frame(datagram), self.client.level)
        return wire.decode_datagram(datagram)[1:]

    def recv(self):
        return self.open(self.recv_raw())

    def nothing_before(self, data, host, port):
        """An echo of `data` is the next that comes: whatever was sent before has been dropped."""
        self.send(data, host, port)
        assert self.recv()[2] == data

    def close(self):
        self.socket.close()
        self.client.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def login(server, method="gssapi", context=None, level=wire.CONFIDENTIALITY):
    """A client that may ask for an association next."""
    client = SocksGssClient((server.host, server.port))
    if method == "none":
        assert client.greet((wire.NONE,)) == wire.NONE
        return client
    return client.login(level, context or unordered_context())


def associate(server, method="gssapi", *, host="0.0.0.0", port=0, **how):
    return Association(login(server, method, **how), host, port)
