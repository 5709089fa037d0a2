"""Puts the server's messages on the wire, honestly or with the faults it was told to commit."""

import socket
import struct
import threading

from support import wire


class SessionOver(Exception):
    """The server has done what it was told and ends this session."""


class FaultyWriter:
    """One per session; `send` is told the stage, so every stage has the same faults."""

    def __init__(self, connection, misbehaviour, event):
        self.connection = connection
        self.faults = misbehaviour
        self.event = event
        self._lock = threading.Lock()
        self.frames = 0
        if misbehaviour.on("split"):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def raw(self, octets):
        with self._lock:
            if not self.faults.on("split"):
                self.connection.sendall(octets)
                return
            for index in range(len(octets)):
                self.connection.sendall(octets[index:index + 1])

    def _fin(self, stage):
        """FIN, not RST: closing with unread octets would reset, so the peer's are drained first."""
        self.connection.shutdown(socket.SHUT_WR)
        self._outlast(stage)

    def _outlast(self, stage):
        """In the data stage the uplink thread reads until the client goes; before it nobody else does."""
        if stage != "data":
            self.drain()

    def finish(self):
        """No more from us; what the client sends is still read."""
        self.connection.shutdown(socket.SHUT_WR)

    def drain(self):
        """Waits for the client to go."""
        try:
            while self.connection.recv(65536):
                pass
        except OSError:
            pass

    def _over(self, why):
        self.event("fault", fault=why)
        raise SessionOver(why)

    def send(self, stage, message):
        """`message` at `stage`, or the fault asked for there."""
        faults, on = self.faults, lambda name: self.faults.on(name, stage)
        if on("stall"):
            self.event("stalled", stage=stage)
            self._outlast(stage)
            self._over("stall")
        if on("close"):
            self._fin(stage)
            self._over("close")
        if on("reset"):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._over("reset")
        if on("abort"):
            self.raw(bytes([wire.GSS, wire.ABORT]))
            self._fin(stage)
            self._over("abort")
        if on("cut"):
            self.raw(message[:faults.number("cut", stage=stage)])
            self._fin(stage)
            self._over("cut")
        octets = bytearray(message)
        if on("version"):
            octets[0] = faults.octet("version", stage)
        for second in ("mtyp", "state"):  # as the method calls it
            if on(second):
                octets[1] = faults.octet(second, stage)
        if on("alter"):
            octets[-1] ^= 0xFF
        if on("empty"):
            mtyp = {"context": wire.TOKEN, "level": wire.LEVEL}.get(stage, wire.DATA)
            self.raw(wire.Frame(mtyp, b"").encode())
        self.raw(bytes(octets))
