"""BIND by socksd-gss: where it listens, whom it lets in, and the connection that comes of it."""

import contextlib
import signal
import socket

import pytest

from support import namespace, payload, tls_stream, wire
from support.process import HANG, free_port
from support.server_log import await_line
from support.servers import Tls
from support.socks_gss_client import Refused, SocksGssClient
from support.socks_ssl_client import SocksSslClient

ANYBODY = ("0.0.0.0", 0)


def login(server, method="none"):
    client = SocksGssClient((server.host, server.port))
    if method == "gssapi":
        return client.login()
    assert client.greet((wire.NONE,)) == wire.NONE
    return client


@contextlib.contextmanager
def bound(server, host="0.0.0.0", port=0, method="none"):
    """A client for which the server listens, at `client.bound`."""
    with login(server, method) as client:
        client.request(host, port, command=wire.BIND)
        yield client


@contextlib.contextmanager
def connected(server, *request, **how):
    """The client and the peer that has connected to it."""
    with bound(server, *request, **how) as client, socket.create_connection(client.bound, HANG) as peer:
        assert client.read_reply() == peer.getsockname()[:2]
        yield client, peer


def refusal(client, host, port=0):
    with client, pytest.raises(Refused) as refused:
        client.request(host, port, command=wire.BIND)
    return refused.value.code


def dial(address, source="127.0.0.1", port=0):
    return socket.create_connection(address, HANG, source_address=(source, port))


def exactly(peer, count):
    data = b""
    while len(data) < count and (piece := peer.recv(count - len(data))):
        data += piece
    return data


def turned_away(peer):
    """The server closes, without a word."""
    with peer, contextlib.suppress(ConnectionResetError):
        assert peer.recv(1) == b""
    return True


# --- the connection ---


@pytest.mark.parametrize("method", ["gssapi", "none", "ssl"])
def test_carries_octets_both_ways_and_half_closes(start, pki, method):
    data = payload.octets(3_000_000)
    with contextlib.ExitStack() as stack:
        if method == "ssl":
            server = start(methods="ssl", tls=Tls(pki))
            client = stack.enter_context(SocksSslClient((server.host, server.port)))
            client.login(tls_stream.client_context(pki.ca)).request(*ANYBODY, command=wire.BIND)
            peer = stack.enter_context(dial(client.bound))
            assert client.read_reply() == peer.getsockname()
        else:
            server = start()
            client, peer = stack.enter_context(connected(server, method=method))
        for start_at in range(0, len(data), 60_000):
            piece = data[start_at:start_at + 60_000]
            client.send(piece)
            assert exactly(peer, len(piece)) == piece
            peer.sendall(piece)
            assert client.recv_exact(len(piece)) == piece
        client.half_close()
        assert peer.recv(1) == b""
        peer.sendall(b"still")
        peer.shutdown(socket.SHUT_WR)
        assert client.recv_all() == b"still"
    assert f"BIND for 0.0.0.0:0: {len(data)} octets up, {len(data) + 5} down; closed" in await_line(server, "closed")


def test_what_is_sent_ahead_is_for_the_peer(start):
    with bound(start(), method="gssapi") as client:
        client.send(b"ahead")
        with dial(client.bound) as peer:
            client.read_reply()
            client.send(b" and behind")
            assert exactly(peer, 16) == b"ahead and behind"


def test_the_peer_may_speak_first(start):
    with bound(start(), method="gssapi") as client:
        with dial(client.bound) as peer:
            peer.sendall(b"banner")
            client.read_reply()
            assert client.recv_exact(6) == b"banner"


def test_over_ipv6(start):
    server = start(listen="[::1]:0")
    with connected(server, "::", 0) as (client, peer):
        assert client.bound == ("::1", peer.getsockname()[1])
        client.send(b"data")
        assert exactly(peer, 4) == b"data"


# --- where it listens ---


def test_where_the_client_has_connected_to(start):
    server = start(listen="0.0.0.0:0")
    for address in ("127.0.0.1", "127.0.0.9"):
        with SocksGssClient((address, server.port)) as client:
            assert client.greet((wire.NONE,)) == wire.NONE
            host, port = client.request(*ANYBODY, command=wire.BIND)
            assert host == address and port != 0


def test_at_the_port_that_is_asked_for_if_it_is_free(start):
    server = start()
    port = free_port()
    with bound(server, "0.0.0.0", port) as first, bound(server, "0.0.0.0", port) as second:
        assert first.bound == ("127.0.0.1", port)
        assert second.bound[1] not in (0, port)
    await_line(server, "closed by the client")
    with bound(server, "0.0.0.0", 80) as client:
        assert client.bound[1] >= 1024
    with bound(server, "127.0.0.1", port) as client:  # which is the peer's
        assert client.bound[1] != port


def test_takes_one_connection(start):
    with connected(start()) as (client, _):
        with pytest.raises(ConnectionRefusedError):
            dial(client.bound)


# --- whom it lets in ---


def test_the_peer_that_is_named_from_any_port(start):
    with bound(start(), "127.0.0.3", 21) as client:
        assert turned_away(dial(client.bound, "127.0.0.4"))
        with dial(client.bound, "127.0.0.3") as peer:
            assert client.read_reply() == peer.getsockname()


@namespace.needed
def test_the_peer_whose_name_is_given(start):
    with bound(start(hosts={"peer.test": "127.0.0.3"}), "peer.test", 21) as client:
        assert turned_away(dial(client.bound, "127.0.0.4"))
        with dial(client.bound, "127.0.0.3") as peer:
            assert client.read_reply() == peer.getsockname()


def test_a_name_that_nobody_knows(start):
    assert refusal(login(start()), "x" * 64 + ".test") == wire.HOST_UNREACHABLE


@pytest.mark.parametrize("rules, request_, expected", [
    (["--deny", "127.0.0.0/8"], ("127.0.0.3", 21), wire.NOT_ALLOWED),
    (["--allow", "127.0.0.0/8:21"], ("127.0.0.3", 21), wire.OK),  # as a CONNECT to it, so from any port
    (["--allow", "127.0.0.0/8:21"], ("127.0.0.3", 22), wire.NOT_ALLOWED),
    (["--allow", "127.0.0.0/8:{port}"], ("127.0.0.3", 0), wire.OK),  # as the peer that comes
    (["--allow", "127.0.0.0/8:{port}"], ANYBODY, wire.OK),
    (["--allow", "127.0.0.0/8:1-9"], ("127.0.0.3", 0), None),
    (["--allow", "127.0.0.0/8:1-9"], ANYBODY, None),
    (["--deny", "127.0.0.3", "--allow", "0.0.0.0/0"], ANYBODY, None),
    (["--allow", ".test"], ("peer.test", 21), wire.OK),
    (["--deny", ".test", "--allow", "0.0.0.0/0"], ("peer.test", 21), wire.NOT_ALLOWED),
    (["--deny", "127.0.0.3", "--allow", ".test"], ("peer.test", 21), wire.NOT_ALLOWED),
    (["--deny", "127.0.0.3", "--allow", ".test"], ("peer.test", 0), None),
    (["--allow", ".test:{port}"], ("peer.test", 0), wire.OK),
], ids=lambda v: "_".join(v) if isinstance(v, list) else None)
def test_rules(start, rules, request_, expected):
    """None: it listens, and turns the peer away."""
    port = free_port("127.0.0.3")
    server = start(*[word.format(port=port) for word in rules], hosts={"peer.test": "127.0.0.3"})
    if request_[0] == "peer.test" and server.target == "127.0.0.1":
        pytest.skip("no mount namespace, so no names")
    if expected == wire.NOT_ALLOWED:
        assert refusal(login(server), *request_) == expected
        return
    with bound(server, *request_) as client:
        peer = dial(client.bound, "127.0.0.3", port)
        if expected is None:
            assert turned_away(peer)
            return
        with peer:
            assert client.read_reply() == peer.getsockname()


# --- its life ---


@pytest.mark.parametrize("method", ["gssapi", "none"])
@pytest.mark.parametrize("how", ["close", "half_close"])
def test_ends_with_the_client(start, method, how):
    server = start()
    with bound(server, method=method) as client:
        where = client.bound
        getattr(client, how)()
        await_line(server, "closed by the client")
        with pytest.raises(ConnectionRefusedError):
            while True:  # until the line has come true
                dial(where).close()


def test_ends_when_nobody_comes(start):
    server = start("--idle-timeout", "1")
    with bound(server, method="gssapi") as client:
        with pytest.raises(Refused, match="REP 06"):
            client.read_reply()
        assert client.await_end() == b""
        with pytest.raises(ConnectionRefusedError):
            dial(client.bound)


def test_sigterm_waits_for_it(start):
    server = start()
    with bound(server, method="gssapi") as client:
        server.process.send_signal(signal.SIGTERM)
        with dial(client.bound) as peer:
            client.read_reply()
            client.send(b"data")
            assert exactly(peer, 4) == b"data"
    assert server.process.wait(HANG) == 0


def test_so_many_ports_of_one_client(start):
    server = start("--max-ports", "1")
    with bound(server) as client:
        assert refusal(login(server), *ANYBODY) == wire.GENERAL_FAILURE
        with dial(client.bound):
            client.read_reply()
            with bound(server):  # the connection that has come takes none
                pass


def test_hundreds_at_once(start):
    server = start()
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(bound(server)) for _ in range(300)]
        peers = [stack.enter_context(dial(client.bound)) for client in clients]
        for n, (client, peer) in enumerate(zip(clients, peers)):
            assert client.read_reply() == peer.getsockname()
            client.send(b"%03d" % n)
            assert exactly(peer, 3) == b"%03d" % n
