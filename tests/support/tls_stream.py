"""SSL for SOCKS V5 (draft-ietf-aft-socks-ssl-00): TLS on memory, in frames `01 STATE LEN16 DATA`. Either role.

Written from the draft and protocol.md §2 on OpenSSL, so that neither our library nor GnuTLS has a part in it.
"""

import contextlib
import ctypes
import ssl
import struct
import threading

from support import wire

VERSION = 0x01
HANDSHAKE, OPTIONS, DATA, CLOSING = 1, 2, 3, 4  # STATE
SUBAUTHENTICATION, UDP_NAKED = 0x01, 0x10  # options
MAX_DATA = 0xFFFF
VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


class Truncated(wire.ProtocolError):
    """The stream ended without close_notify, which anybody on the way can bring about."""


def server_context(cert, key, client_ca=None, version=None, tickets=2):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    context.num_tickets = tickets
    if client_ca:
        context.load_verify_locations(client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return _only(context, version)


def client_context(ca, identity=None, version=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(ca)
    if identity:
        context.load_cert_chain(*identity)
    return _only(context, version)


def _only(context, version):
    context.minimum_version = VERSIONS[version or "1.2"]
    context.maximum_version = VERSIONS[version or "1.3"]
    return context


def frame(state, data):
    return struct.pack("!BBH", VERSION, state, len(data)) + data


def cut(state, octets, size):
    """The frames for a stretch of the TLS stream; a record knows nothing of their edges."""
    return [frame(state, octets[at:at + size]) for at in range(0, len(octets), size)]


class TlsStream:
    """One connection's TLS. `read`, `read1` from one thread, `write` and `close_notify` from any.

    `reader` is buffered and gives the raw octets; `put(frames)` sends. `size` cuts what is sent into frames of that many
    octets. `states` are those received, without repetitions.
    """

    def __init__(self, reader, put, context, size=MAX_DATA, **how):
        self.reader, self.put, self.size = reader, put, size
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, **how)
        self.state = HANDSHAKE
        self.states = []
        self.closed = self.peer_closed = False
        self._pending = b""
        self._tls = threading.Lock()  # the SSL object is for one thread at a time
        self._sending = threading.Lock()  # what it has encrypted leaves in order

    # --- frames ---

    def read_frame(self):
        """One frame into TLS. VER, STATE and LEN can be anybody's words: they are checked, and decide nothing."""
        try:
            version, state, length = struct.unpack("!BBH", wire.read_exact(self.reader, 4))
        except wire.Closed:
            raise Truncated("FIN without close_notify") from None
        if version != VERSION or state not in (HANDSHAKE, OPTIONS, DATA, CLOSING):
            raise wire.ProtocolError(f"frame {version:02x} {state:02x}")
        try:
            data = wire.read_exact(self.reader, length) if length else b""
        except wire.Closed:
            raise Truncated("FIN inside a frame") from None
        if self.states[-1:] != [state]:
            self.states.append(state)
        with self._tls:
            self.incoming.write(data)

    def _flush(self, state=None):
        """Under `_sending`: what TLS has made, as frames."""
        with self._tls:
            octets = self.outgoing.read()
        if octets:
            self.put(cut(state or self.state, octets, self.size))

    # --- TLS ---

    def handshake(self):
        while True:
            try:
                with self._sending:
                    try:
                        with self._tls:
                            self.tls.do_handshake()
                    finally:
                        self._flush()  # an alert, too
            except ssl.SSLWantReadError:
                self.read_frame()
            else:
                self.state = OPTIONS
                return

    def _decrypt(self, size):
        """None if more octets are needed, b"" after close_notify."""
        try:
            return self.tls.read(size)
        except ssl.SSLWantReadError:
            return None
        except ssl.SSLZeroReturnError:
            return b""

    def read1(self, size=1 << 18):
        """What is there of plaintext, at least an octet; b"" after close_notify, and only then."""
        while not self.peer_closed:
            with self._tls:
                if self._pending:
                    data, self._pending = self._pending[:size], self._pending[size:]
                    return data
                data = self._decrypt(size)
            if data:
                return data
            if data is None:
                self._answer()
                self.read_frame()
            else:
                self.peer_closed = True
        return b""

    def _answer(self):
        """Reading may have made an answer (KeyUpdate). Whoever is sending takes it along."""
        if self.outgoing.pending and self._sending.acquire(blocking=False):
            try:
                self._flush()
            finally:
                self._sending.release()

    def read(self, count):
        """`count` octets, fewer at the end."""
        data = b""
        while len(data) < count and (piece := self.read1(count - len(data))):
            data += piece
        return data

    def write(self, data):
        with self._sending:
            with self._tls:
                self.tls.write(data)
            self._flush()

    def close_notify(self):
        """Ends our direction; reading goes on."""
        with self._sending:
            self.state, self.closed = CLOSING, True
            with self._tls, contextlib.suppress(ssl.SSLWantReadError, ssl.SSLZeroReturnError):
                while data := self._decrypt(1 << 18):  # OpenSSL will not close with plaintext unread
                    self._pending += data
                self.tls.unwrap()
            self._flush()

    def close(self):
        self.reader.close()

    # --- what Python's ssl module does not offer ---

    def key_update(self):
        """A KeyUpdate that asks for one in return, in a frame of the present state."""
        self._openssl("SSL_key_update", ctypes.c_int(1))

    def new_ticket(self, state):
        """A session ticket after the handshake, in a frame of `state`."""
        self._openssl("SSL_new_session_ticket", state=state)

    def renegotiate(self):
        """TLS 1.2: asks for another handshake."""
        self._openssl("SSL_renegotiate")

    def _openssl(self, function, *arguments, state=None):
        library = ctypes.CDLL("libssl.so.3")
        members = ctypes.cast(id(self.tls._sslobj), ctypes.POINTER(ctypes.c_void_p))  # after refcount, type, owner: SSL*
        session = ctypes.c_void_p(members[3])
        library.SSL_get_version.restype = ctypes.c_char_p
        with self._sending:
            with self._tls:
                assert library.SSL_get_version(session).decode() == self.tls.version()
                assert getattr(library, function)(session, *arguments) == 1, function
                with contextlib.suppress(ssl.SSLWantReadError):
                    self.tls.do_handshake()
            self._flush(state)
