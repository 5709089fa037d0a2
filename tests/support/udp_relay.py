"""UDP ASSOCIATE of the independent server, RFC 1928 §7 and RFC 1961 §6: one relay socket per association.

Each datagram with the client is `01 03 LEN token`, sealed in the session's context; without a context it is in clear.
What is wrong with one is told as an event, and the datagram dropped. The association ends with its control connection.
"""

import contextlib
import select
import socket

from support import wire
from support.lossy_path import LossyPath

BUFFER = 1 << 16
LARGEST = 65507


class UdpRelay:
    def __init__(self, session, host, port):
        self.session, self.faults, self.event = session, session.faults, session.event
        self.client_host = session.connection.getpeername()[0]
        self.client_port = port or None  # 0: whoever of that host sends first
        self.level = wire.CONFIDENTIALITY if self.faults.on("conf-true") else session.level
        weather = {name: self.faults.number(name) for name in ("lose", "double", "swap")}
        self.up, self.down = LossyPath(**weather), LossyPath(**weather)
        self.count = {"up": 0, "down": 0}
        self.names = {}  # address and port: the name that was asked for
        self.held = None
        self.sockets = contextlib.ExitStack()
        self.relay = self.stranger = None
        self.targets = {}

    def _socket(self, family):
        made = self.sockets.enter_context(socket.socket(family, socket.SOCK_DGRAM))
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            made.setsockopt(socket.SOL_SOCKET, option, 1 << 22)
        made.setblocking(False)
        return made

    def run(self):
        with self.sockets:
            code = self.faults.number("rep")
            if code or not self.session.relays_datagrams():
                self.session.refuse(code or wire.BAD_COMMAND)
            local = self.session.connection.getsockname()[0]
            self.relay, self.stranger = self._socket(wire.family(local)), self._socket(wire.family(local))
            self.relay.bind((local, 0))
            self.stranger.bind((local, 0))
            port = self.relay.getsockname()[1]
            self.event("associated", local=[local, port])
            self.session.reply(self.session.success(self.faults.text("bound") or local, port))
            self._carry()

    def _carry(self):
        """Until the control connection ends; what comes on that is read and dropped."""
        while True:
            ready, _, _ = select.select([self.session.connection, self.relay, *self.targets.values()], [], [])
            for end in ready:
                if end is self.session.connection:
                    if not end.recv(BUFFER):
                        self._drain(self.relay, self._from_client)  # what was sent before the end
                        self.event("over", **self.count, lost_up=self.up.lost, lost_down=self.down.lost)
                        return
                elif end is self.relay:
                    self._drain(end, self._from_client)
                else:
                    self._drain(end, self._from_target)
            if self.count["up"] >= self.faults.number("end-after", 1 << 62):
                self.event("fault", fault="end-after")
                return

    @staticmethod
    def _drain(end, take):
        while True:
            try:
                octets, source = end.recvfrom(BUFFER)
            except BlockingIOError:
                return
            except OSError:  # ICMP says that nobody is there: SOCKS has no word for it
                continue
            take(octets, source[:2])

    # --- client to target ---

    def _from_client(self, octets, source):
        if source[0] != self.client_host or self.client_port not in (None, source[1]):
            self.event("dropped", why="not from the client", source=list(source))
            return
        for datagram in self.up.carry(octets):
            try:
                self._forward(datagram, source)
            except wire.ProtocolError as error:
                self.event("dropped", why=str(error), source=list(source))

    def _open(self, datagram):
        if self.session.gss is None:
            return datagram
        return self.session.gss.open(wire.datagram_frame(datagram), self.session.level)

    def _forward(self, datagram, source):
        atyp, host, port, data = wire.decode_datagram(self._open(datagram))
        self.client_port = source[1]
        self.count["up"] += 1
        self.event("up", atyp=atyp, host=host, port=port, octets=len(data))
        address = self.session.resolve(host)
        if address is None:
            return
        if atyp == 3:
            self.names[address, port] = host
        family = wire.family(address)
        if family not in self.targets:
            self.targets[family] = self._socket(family)
        try:
            self.targets[family].sendto(data, (address, port))
        except OSError as error:
            self.event("unsent", error=error.errno)

    # --- target to client ---

    def _from_target(self, data, source):
        if self.client_port is None:
            return
        self.event("down", host=source[0], port=source[1], octets=len(data))
        self.count["down"] += 1
        if self.count["down"] - 1 == self.faults.number("frame-number", 1):
            datagrams = self._faulty(data, source)
        else:
            datagrams = [self._seal(self._head(data, source))]
            if self.held:
                datagrams, self.held = [*datagrams, self.held], None
        for datagram in datagrams:
            for arriving in self.down.carry(datagram):
                self._send(self.relay, arriving)

    def _head(self, data, source, fragment=0):
        name = self.names.get(source) if self.faults.on("name-source") else None
        return wire.encode_datagram(name or source[0], source[1], data, 3 if name else None, fragment)

    def _seal(self, plain):
        return self.session.gss.seal(plain, self.level) if self.session.gss else plain

    def _send(self, end, datagram):
        try:
            end.sendto(datagram, (self.client_host, self.client_port))
        except OSError as error:
            self.event("unsent", error=error.errno)

    def _faulty(self, data, source):
        """The datagrams in place of this one."""
        faults, on = self.faults, self.faults.on
        plain = self._head(data, source, 1 if on("fragment") else 0)
        if on("plain"):
            return [plain]
        if on("huge"):
            return [bytes(LARGEST)]
        if on("conf-false", "data"):
            sealed = wire.Frame(wire.DATA, self.session.gss.wrap(plain, False)).encode()
        else:
            sealed = self._seal(plain)
        octets = bytearray(sealed)
        for place, what in enumerate(("version", "mtyp")):
            if on(what, "data"):
                octets[place] = faults.octet(what, "data")
        if on("alter", "data"):
            octets[-1] ^= 0xFF
        if on("long"):
            octets[2:4] = (len(octets) - 3).to_bytes(2, "big")
        sealed = bytes(octets)[:faults.number("cut", None, "data")]
        if on("drop"):
            return []
        if on("reorder"):
            self.held = sealed
            return []
        if on("stranger"):
            self._send(self.stranger, sealed)
            return []
        if on("empty-token", "data"):
            return [self._seal(b""), sealed]
        return [sealed, sealed] if on("replay") else [sealed]
