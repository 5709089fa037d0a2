"""An independent client of the SSL method, one method per step, so that a test can do each of them right or wrong."""

import contextlib
import socket

from support import chap, tls_stream, wire
from support.socks_gss_client import SocksGssClient


class SocksSslClient(SocksGssClient):
    """`client = SocksSslClient(addr).handshake("host", 80, context)`, then `send`, `recv`, `half_close`.

    Once TLS stands, `raw` and `reader` are inside it; `socket` is the wire."""

    def __init__(self, server, timeout=60, frame=tls_stream.MAX_DATA):
        super().__init__(server, timeout)
        self.frame = frame
        self.stream = None
        self.agreed = ()

    def establish(self, context, server_name="127.0.0.1", session=None):
        """TLS, then `state` is 2."""
        self.stream = tls_stream.TlsStream(self.reader, self.put, context, self.frame, server_hostname=server_name,
                                           session=session)
        self.stream.handshake()
        self.reader, self.raw = self.stream, self.stream.write
        return self.stream.tls

    def put(self, frames):
        self.socket.sendall(b"".join(frames))

    def options(self, offered=(tls_stream.SUBAUTHENTICATION,)):
        """What the server answers, as it is."""
        self.raw(bytes([len(offered), *offered]))
        (count,) = wire.read_exact(self.reader, 1)
        return tuple(wire.read_exact(self.reader, count)) if count else ()

    def chap(self, user, password, **how):
        return chap.authenticate(self.reader, lambda octets: self.raw(octets), user.encode(), password.encode(), **how)

    def subauthenticate(self, method, user, password):
        """Offers this method alone; True if it let us in."""
        if self.greet((method,)) != method:
            return False
        if method == wire.USERPASS:
            return self.authenticate(user, password) == 0
        self.chap(user, password)
        return True

    def request(self, *arguments, **more):
        if self.stream:
            self.stream.state = tls_stream.DATA
        return super().request(*arguments, **more)

    def login(self, context, *, server_name="127.0.0.1", session=None, user=None, subauth=wire.USERPASS,
              methods=(wire.SSL,), naked=False):
        """Everything before the request."""
        if self.greet(methods) not in methods:
            raise wire.ProtocolError("ssl not chosen")
        self.establish(context, server_name, session)
        wanted = ((tls_stream.SUBAUTHENTICATION,) if user else ()) + ((tls_stream.UDP_NAKED,) if naked else ())
        self.agreed = self.options(wanted)
        if tls_stream.SUBAUTHENTICATION in self.agreed and not self.subauthenticate(subauth, *user):
            raise wire.ProtocolError("subauthentication failed")
        return self

    def handshake(self, host, port, context, *, atyp=None, **how):
        self.login(context, **how).request(host, port, atyp)
        return self

    def half_close(self):
        self.stream.close_notify()

    def fin(self):
        """FIN on the wire, whatever TLS thinks, unless the server has reset it already."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)
