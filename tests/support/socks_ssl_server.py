#!/usr/bin/python3
"""An independent SOCKS5 server of the SSL method (draft-ietf-aft-socks-ssl-00, protocol.md §2) on ssl.MemoryBIO.

    socks_ssl_server.py --methods ssl --tls-cert FILE --tls-key FILE [--tls-client-ca FILE] [--subauth LIST] ...

The other methods are those of socks_gss_server.py, and CHAP. Wrong only where it is told so (ssl_faults.py).
"""

import contextlib
import sys
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support import chap, socks_gss_server, tls_stream, wire  # noqa: E402
from support.faulty_writer import SessionOver  # noqa: E402
from support.ssl_faults import SslMisbehaviour  # noqa: E402


class TlsWriter:
    """What FaultyWriter is, inside TLS. The faults are in its frames, which go out by the session's writer."""

    def __init__(self, writer, faults):
        self.writer, self.faults = writer, faults
        self.stream = None
        self.stage, self.clear = "handshake", b""
        self.data_frames = 0
        self.held = b""

    def put(self, frames):
        """For the stream: the first frame is the one that may be faulty."""
        if self.stage in ("reply", "data", "close") and self.faults.on("hold"):
            self.held += b"".join(frames)
            if self.stage == "close":
                self.writer.raw(self.held)
            return
        if self.stage == "data":
            self.data_frames += 1
            if self.faults.on("regress"):
                frames = [tls_stream.frame(tls_stream.HANDSHAKE, octets[4:]) for octets in frames]
            if self.data_frames - 1 != self.faults.number("frame-number", 1):
                self.writer.raw(b"".join(frames))
                return
        first, rest = frames[0], b"".join(frames[1:])
        if self.faults.on("none", self.stage):
            self.writer.raw(tls_stream.frame(first[1], b""))
        if self.faults.on("clear", self.stage):
            first, rest = tls_stream.frame(first[1], self.clear or b"in clear"), b""
        self.writer.send(self.stage, first)
        self.writer.raw(rest)

    def send(self, stage, message):
        self.stage = stage
        if stage in ("reply", "data"):
            self.stream.state = tls_stream.DATA
        if stage == "data" and self.data_frames == self.faults.number("frame-number", 1):
            self._before_the_frame()
        self.clear = message
        self.stream.write(message)

    def _before_the_frame(self):
        stage, self.stage = self.stage, "between"
        if self.faults.on("tickets"):
            self.stream.new_ticket(tls_stream.HANDSHAKE)
        if self.faults.on("key-update"):
            self.stream.key_update()
        if self.faults.on("renegotiate"):
            self.stream.renegotiate()
        self.stage = stage

    def raw(self, octets):
        self.send("data", octets)

    def finish(self):
        """Our direction ends, by close_notify in STATE 4 if nothing else was asked for."""
        self.stage = "close"
        if self.faults.on("empty-close"):
            self.writer.raw(tls_stream.frame(tls_stream.CLOSING, b""))
        elif not self.faults.on("no-notify"):
            self.stream.close_notify()
            if self.faults.on("talk-on"):
                self.writer.raw(tls_stream.frame(tls_stream.DATA, b"\x17\x03\x03\x00\x10" + b"?" * 16))
            if not self.faults.on("fin"):
                return
        self.writer.finish()

    def drain(self):
        """Until the client closes too, however it does that."""
        with contextlib.suppress(wire.ProtocolError, OSError):
            while self.stream.read1():
                pass


class SslSession(socks_gss_server.Session):
    """Once TLS stands, `reader` and `writer` are inside it, and the rest of the session is as without."""

    naked = None  # of other methods

    def authenticate(self, method):
        if method in wire.METHODS["ssl"]:
            self.begin_tls()
        elif method == wire.CHAP:
            self.authenticate_chap()
        else:
            super().authenticate(method)

    def begin_tls(self):
        tls = TlsWriter(self.writer, self.faults)
        tls.stream = tls_stream.TlsStream(self.reader, tls.put, self.server.context, self.options.frame, server_side=True)
        tls.stream.handshake()
        session, certificate = tls.stream.tls, tls.stream.tls.getpeercert()
        self.event("tls", version=session.version(), cipher=session.cipher()[0], resumed=session.session_reused,
                   client=dict(pair[0] for pair in certificate["subject"])["commonName"] if certificate else None)
        self.reader, self.writer = tls.stream, tls
        self.agree_options()

    # --- options, and what is inside ---

    def agree_options(self):
        (count,) = wire.read_exact(self.reader, 1)
        offered = wire.read_exact(self.reader, count) if count else b""
        agreed = bytes(dict.fromkeys(option for option in offered if option in self.wanted_options()))
        self.event("options", offered=list(offered), agreed=list(agreed))
        self.naked = tls_stream.UDP_NAKED in agreed
        if self.options.subauth and tls_stream.SUBAUTHENTICATION not in agreed:
            self.end_tls("subauthentication was not offered")
        self.writer.send("options", self.faults.octets("options") or bytes([len(agreed)]) + agreed)
        if tls_stream.SUBAUTHENTICATION in agreed:
            self.subauthenticate()

    def wanted_options(self):
        return ([tls_stream.SUBAUTHENTICATION] if self.options.subauth else []) + (
            [tls_stream.UDP_NAKED] if self.options.ssl_udp_naked else [])

    def relays_datagrams(self):
        """Not sealed by this method: in clear, if both want that (UDP-Naked)."""
        return self.naked is not False

    def subauthenticate(self):
        version, count = wire.read_exact(self.reader, 2)
        if version != wire.SOCKS:
            raise wire.ProtocolError(f"subauthentication version {version:02x}")
        offered = wire.read_exact(self.reader, count) if count else b""
        method = self.faults.octet("subauth-method")
        if method is None:
            method = self.preferred(self.options.subauth, offered)
        self.event("subauth", offered=list(offered), chosen=method)
        self.writer.send("subauth", bytes([wire.SOCKS, method]))
        try:
            if method == wire.NO_ACCEPTABLE:
                raise wire.ProtocolError("no subauthentication method in common")
            self.authenticate(method)
        except wire.ProtocolError as error:
            self.end_tls(str(error))

    def say_subauth(self, message):
        self.writer.send("subauth", self.faults.octets("subauth-reply") or message)

    def authenticate_chap(self):
        users = dict([self.options.user.encode().split(b":", 1)]) if self.options.user else {}
        user = chap.accept(self.reader, self.say_subauth, users, self.faults)
        self.event("chap", user=user.decode(errors="replace") if user else None, accepted=user is not None)
        if user is None:
            raise wire.ProtocolError("CHAP failed")

    def end_tls(self, why):
        self.event("refused", error=why)
        self.writer.finish()
        self.writer.drain()
        raise SessionOver(why)


class SslServer(socks_gss_server.Server):
    def __init__(self, options):
        super().__init__(options, SslSession, SslMisbehaviour)
        self.context = tls_stream.server_context(
            options.tls_cert, options.tls_key, options.tls_client_ca, options.tls_version) if options.tls_cert else None


def parser():
    parser = socks_gss_server.parser(__doc__)
    for option in ("--tls-cert", "--tls-key", "--tls-client-ca"):
        parser.add_argument(option, metavar="FILE")
    parser.add_argument("--tls-version", choices=list(tls_stream.VERSIONS), help="this alone")
    parser.add_argument("--subauth", default="", help="required inside TLS, in order of preference")
    parser.add_argument("--ssl-udp-naked", action="store_true", help="agree to datagrams in clear")
    parser.add_argument("--frame", type=int, default=tls_stream.MAX_DATA, metavar="N", help="octets of TLS in a frame")
    return parser


if __name__ == "__main__":
    try:
        SslServer(parser().parse_args()).serve()
    except KeyboardInterrupt:
        pass
