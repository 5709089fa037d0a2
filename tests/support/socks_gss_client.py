"""An independent RFC 1961 client, one method per step, so that a test can do each of them right or wrong."""

import socket

import gssapi

from support import wire
from support.gss_session import KERBEROS, WANTED_FLAGS, GssSession


class Refused(Exception):
    """The server's reply code was not 0."""

    def __init__(self, code):
        super().__init__(f"REP {code:02x}")
        self.code = code


class SocksGssClient:
    """`client = SocksGssClient(addr).handshake("host", 80)`, then `send`, `recv`, `half_close`."""

    def __init__(self, server, timeout=60):
        self.socket = socket.create_connection(server, timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.reader = self.socket.makefile("rb", 1 << 18)
        self.gss = None
        self.level = None
        self.bound = None
        self._pending = b""

    def raw(self, octets):
        self.socket.sendall(octets)

    def greet(self, methods=(wire.GSSAPI,)):
        self.raw(bytes([wire.SOCKS, len(methods), *methods]))
        version, method = wire.read_exact(self.reader, 2)
        if version != wire.SOCKS:
            raise wire.ProtocolError(f"choice version {version:02x}")
        return method

    @staticmethod
    def new_context(service="socks@127.0.0.1", mech=KERBEROS, flags=WANTED_FLAGS):
        name = gssapi.Name(service, gssapi.NameType.hostbased_service)
        return gssapi.SecurityContext(name=name, usage="initiate", mech=mech, flags=flags)

    def establish(self, context=None):
        """RFC 1961 §3.2 to §3.7."""
        context = context or self.new_context()
        token = context.step()
        while token is not None:
            self.raw(wire.Frame(wire.TOKEN, token).encode())
            frame = wire.read_frame(self.reader)
            if frame.mtyp != wire.TOKEN:
                raise wire.ProtocolError(f"mtyp {frame.mtyp} during context establishment")
            if context.complete:
                break  # §3.6: the answer to our last token, of length zero
            token = context.step(frame.token)
        self.gss = GssSession(context)
        return context

    def negotiate(self, level, nec=False, confidential=False):
        """§4: returns the level the server answers."""
        token = bytes([level]) if nec else self.gss.wrap(bytes([level]), confidential)
        self.raw(wire.Frame(wire.LEVEL, token).encode())
        frame = wire.read_frame(self.reader)
        if frame == wire.Frame(wire.TOKEN, b""):  # protocol.md §1: one stray is tolerated here
            frame = wire.read_frame(self.reader)
        if frame.mtyp != wire.LEVEL:
            raise wire.ProtocolError(f"mtyp {frame.mtyp} where the level belongs")
        said = frame.token if nec else self.gss.unwrap(frame.token)[0]
        if len(said) != 1:
            raise wire.ProtocolError("level reply is not one octet")
        self.level = said[0]
        return self.level

    def request(self, host, port, atyp=None, command=wire.CONNECT):
        message = wire.encode_request(command, host, port, atyp)
        if self.gss:
            self.raw(self.gss.seal(message, self.level))
            return self.read_reply()
        self.raw(message)
        return self.read_reply()

    def read_reply(self):
        """RFC 1928 §6; octets behind the reply in its frame are data."""
        code, _, host, port = wire.read_reply(_Stream(self) if self.gss else self.reader)
        if code != wire.OK:
            raise Refused(code)
        self.bound = host, port
        return self.bound

    def authenticate(self, user, password):
        """RFC 1929 §2: the status octet."""
        user, password = user.encode(), password.encode()
        self.raw(bytes([1, len(user)]) + user + bytes([len(password)]) + password)
        return wire.read_exact(self.reader, 2)[1]

    def login(self, level=wire.CONFIDENTIALITY, context=None, nec=False):
        """Everything before the request."""
        if self.greet() != wire.GSSAPI:
            raise wire.ProtocolError("gssapi not chosen")
        self.establish(context)
        if self.negotiate(level, nec) != level:
            raise wire.ProtocolError(f"level {self.level}")
        return self

    def handshake(self, host, port, level=wire.CONFIDENTIALITY, context=None, atyp=None, nec=False):
        self.login(level, context, nec).request(host, port, atyp)
        return self

    def seal(self, data):
        return self.gss.seal(data, self.level)

    def send(self, data, size=1 << 15):
        view = memoryview(data)
        for start in range(0, len(view), size):
            piece = bytes(view[start:start + size])
            self.raw(self.seal(piece) if self.gss else piece)

    def recv(self):
        """The next piece of plaintext; b"" at EOF. Empty tokens are skipped."""
        if self._pending:
            data, self._pending = self._pending, b""
            return data
        if self.gss is None:
            return self.reader.read1(65536)
        while True:
            try:
                data = self.gss.open(wire.read_frame(self.reader), self.level)
            except wire.Closed:
                return b""
            if data:
                return data

    def recv_exact(self, count):
        data = bytearray()
        while len(data) < count:
            piece = self.recv()
            if not piece:
                raise wire.ProtocolError(f"EOF after {len(data)} of {count}")
            data += piece
        self._pending = bytes(data[count:]) + self._pending
        return bytes(data[:count])

    def recv_all(self):
        data = bytearray()
        while piece := self.recv():
            data += piece
        return bytes(data)

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    def await_end(self):
        """Reads raw octets until the server closes or resets; returns them."""
        octets = bytearray()
        try:
            while piece := self.reader.read1(65536):
                octets += piece
        except ConnectionError:
            pass
        return bytes(octets)

    def close(self):
        self.reader.close()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class _Stream:
    """The plaintext as a stream, for the reply parser; gives back nothing it did not take."""

    def __init__(self, client):
        self.client = client

    def read(self, count):
        return self.client.recv_exact(count)
