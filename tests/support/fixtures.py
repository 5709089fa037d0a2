"""The fixtures shared by integration and interop tests. Session scope is per xdist worker, so workers share nothing."""

import contextlib
import itertools
import os
import socket
from pathlib import Path

import pytest

from support.pki import Pki
from support.process import Service
from support.realm import Realm
from support.runner import Socksify
from support.servers import KINDS, PYTHON, SocksServer, Tls

SUPPORT = Path(__file__).resolve().parent


@pytest.fixture(scope="session")
def realm():
    with Realm() as running:
        running.populate()
        os.environ.update(running.env)  # for the in-process client; programs get theirs explicitly
        yield running


@pytest.fixture(scope="session")
def pki(tmp_path_factory):
    return Pki(tmp_path_factory.mktemp("pki"))


class Origin(Service):
    """The origin process and its ports by service name."""

    def __init__(self, address="127.0.0.1", enter=list):
        super().__init__(enter([PYTHON, str(SUPPORT / "origin.py"), "--events", "--address", address]))
        self.ports = self.await_event("ports")

    @contextlib.contextmanager
    def untouched(self, *services):
        """Nobody connects to any of `services` meanwhile.

        Connections of our own before and after open and close the account, because accepts are told in order.
        """
        for service in services:
            self._visit(service)
        mark = self.mark()
        yield
        for service in services:
            self._visit(service)
            seen = [e for e in self.since(mark, "accept") if e["service"] == service]
            assert len(seen) == 1, f"reached directly: {seen}"

    def _visit(self, service):
        """A connection, until the origin has told of it."""
        mark = self.mark()
        with socket.create_connection(("127.0.0.1", self.ports[service])) as own:
            self.await_event("accept", mark, peer=list(own.getsockname()))


@pytest.fixture(scope="session")
def origin():
    with Origin() as running:
        yield running


class UdpOrigin(Service):
    """The echo of datagrams (support/udp_origin.py), on IPv4 and IPv6 loopback."""

    def __init__(self):
        super().__init__([PYTHON, str(SUPPORT / "udp_origin.py"), "--events", "--address", "127.0.0.1", "--address", "::1"])

    @contextlib.contextmanager
    def untouched(self, head):
        """No datagram that begins with `head` comes meanwhile; those of our own open and close the account, for they are told in order."""
        self._visit()
        mark = self.mark()
        yield
        self._visit()
        seen = [e for e in self.since(mark, "datagram") if e["head"].startswith(head)]
        assert not seen, f"reached directly: {seen}"

    def _visit(self):
        """A datagram, until the origin has told of it."""
        mark = self.mark()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
            own.settimeout(0.1)
            own.connect(("127.0.0.1", self.port))
            while not any(e["source"] == list(own.getsockname()) for e in self.since(mark, "datagram")):
                own.send(b"visit")
                with contextlib.suppress(TimeoutError):  # lost, where others flood
                    own.recv(100)


@pytest.fixture(scope="session")
def udp_origin():
    with UdpOrigin() as running:
        yield running


@pytest.fixture(scope="session")
def long_lived(request, realm, tmp_path_factory):
    """The well-behaved long-lived servers, each started when first asked for: by kind, method and options."""
    with contextlib.ExitStack() as stack:
        running = {}

        def get(kind, method="gssapi", options=()):
            if (kind, method, options) not in running:
                tls = Tls(request.getfixturevalue("pki")) if method == "ssl" else None
                running[kind, method, options] = stack.enter_context(
                    SocksServer(kind, realm, tmp_path_factory.mktemp(kind), methods=method, tls=tls, options=options))
            server = running[kind, method, options]
            assert server.process.poll() is None, f"{kind} has died: {server.stderr()}"
            return server

        yield get


@pytest.fixture(params=KINDS)
def server(request, long_lived):
    """Every test that takes it runs once through each server; it must outlive the test."""
    yield long_lived(request.param)
    long_lived(request.param)


@pytest.fixture
def independent(long_lived):
    return long_lived("independent")


@pytest.fixture
def start_server(realm, tmp_path):
    """A server of one's own: `start_server("independent", faults=["stall@reply"])`."""
    numbers = itertools.count()
    with contextlib.ExitStack() as stack:
        yield lambda kind, **options: stack.enter_context(
            SocksServer(kind, realm, tmp_path / f"server{next(numbers)}", **options))


@pytest.fixture
def start(start_server):
    """A socksd-gss that takes any client and tells of each session: `start("--threads", "1")`."""
    def begin(*options, methods="gssapi,none", **how):
        return start_server("socksd-gss", methods=methods, options=["--log", "info", *options], **how)
    return begin


@pytest.fixture
def socksify(realm, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    return Socksify(realm, home)
