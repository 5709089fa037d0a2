"""A tap on loopback between client and SOCKS server: forwards and records every octet of both directions.

This is the wire capture for which no root is needed. `check_rfc1961` and `check_ssl` read a recording as protocol.md §1
and §2 describe it.
"""

import socket
import struct
import threading
from typing import NamedTuple

from support import tls_stream, wire

UP, DOWN = "C", "S"  # who speaks


class Piece(NamedTuple):
    """One message as recorded: who, what kind, its octets."""

    who: str
    kind: str
    octets: bytes


class Connection:
    """What went over one tapped connection."""

    def __init__(self):
        self.octets = {UP: bytearray(), DOWN: bytearray()}
        self.broken = False
        self.done = threading.Event()


class Tap:
    """Accepts on `port` (same loopback address), connects on to `target`; to be used as the server that it taps."""

    def __init__(self, target, client_env=None):
        self.target = target
        self.client_env = client_env or {}
        self.connections = []
        self._listener = socket.create_server((target[0], 0), family=wire.family(target[0]), backlog=512)
        self.host, self.port = self._listener.getsockname()[:2]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self):
        return f"{self.host}:{self.port}"

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client):
        connection = Connection()
        self.connections.append(connection)
        try:
            server = socket.create_connection(self.target)
        except OSError:
            client.close()
            connection.done.set()
            return
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        up = threading.Thread(target=self._pump, args=(client, server, connection, UP), daemon=True)
        up.start()
        self._pump(server, client, connection, DOWN)
        up.join()
        client.close()
        server.close()
        connection.done.set()

    @staticmethod
    def _pump(source, sink, connection, who):
        """Until FIN, which is passed on; a reset is passed on as one."""
        try:
            while data := source.recv(1 << 16):
                connection.octets[who] += data
                sink.sendall(data)
            if not connection.broken:
                sink.shutdown(socket.SHUT_WR)
        except OSError:
            connection.broken = True
            for end in (source, sink):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                try:
                    end.shutdown(socket.SHUT_RD)  # wakes the other direction; close then resets
                except OSError:
                    pass

    def await_done(self, timeout=60):
        """Until every connection so far has ended in both directions."""
        for connection in list(self.connections):
            if not connection.done.wait(timeout):
                raise TimeoutError("a tapped connection does not end")
        return self.connections

    def close(self):
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class _Cursor:
    def __init__(self, octets):
        self.octets = bytes(octets)
        self.at = 0

    def take(self, count, what):
        piece = self.octets[self.at:self.at + count]
        if len(piece) < count:
            raise wire.ProtocolError(f"recording ends inside {what}")
        self.at += count
        return piece

    def more(self):
        return self.at < len(self.octets)


GSS_FRAMES = {wire.TOKEN: "token", wire.LEVEL: "level", wire.DATA: "data"}
SSL_FRAMES = {tls_stream.HANDSHAKE: "handshake", tls_stream.OPTIONS: "options", tls_stream.DATA: "data",
              tls_stream.CLOSING: "closing"}


def _frames(cursor, who, kinds):
    """The rest of a direction as frames; `kinds` names them by their second octet."""
    while cursor.more():
        header = cursor.take(4, "a frame header")
        if header[0] != wire.GSS or header[1] not in kinds:
            raise wire.ProtocolError(f"{who}: not a frame of the method: {header.hex(' ')}")
        length = struct.unpack("!H", header[2:])[0]
        if header[1] == wire.DATA and length == 0:
            raise wire.ProtocolError(f"{who}: empty data frame")
        yield Piece(who, kinds[header[1]], header + cursor.take(length, "a frame"))


def parse(connection, method, kinds):
    """A recording of one method as two lists of Pieces: client's, server's. Raises on anything that does not belong."""
    up, down = _Cursor(connection.octets[UP]), _Cursor(connection.octets[DOWN])
    head = up.take(2, "the greeting")
    if head[0] != wire.SOCKS:
        raise wire.ProtocolError(f"greeting version {head[0]:02x}")
    client = [Piece(UP, "greeting", head + up.take(head[1], "the greeting"))]
    choice = down.take(2, "the method choice")
    if choice != bytes([wire.SOCKS, method]):
        raise wire.ProtocolError(f"method choice {choice.hex(' ')}")
    server = [Piece(DOWN, "choice", choice)]
    client += _frames(up, UP, kinds)
    server += _frames(down, DOWN, kinds)
    for pieces in (client, server):
        order = [p.kind for p in pieces[1:]]
        if order != sorted(order, key=list(kinds.values()).index):
            raise wire.ProtocolError(f"frames out of order: {order[:8]}")
    return client, server


def _unseen(connection, markers):
    for who, octets in connection.octets.items():
        for marker in markers:
            if marker in octets:
                raise AssertionError(f"plaintext {marker!r} on the wire, direction {who}")


def check_rfc1961(connection, markers=()):
    """Method choice, then well-formed RFC 1961 frames and nothing else; none of `markers` in clear. Returns `parse`."""
    pieces = parse(connection, wire.GSSAPI, GSS_FRAMES)
    for who in pieces:
        if [p.kind for p in who].count("level") != 1:
            raise wire.ProtocolError("the level is agreed once")
    _unseen(connection, markers)
    return pieces


def check_ssl(connection, markers=()):
    """Method choice, then TLS in frames whose STATE never goes back; none of `markers` in clear. Returns `parse`."""
    pieces = parse(connection, wire.SSL, SSL_FRAMES)
    _unseen(connection, markers)
    return pieces
