"""The independent client of tests/support against both servers: the bytes of RFC 1961, no shim in between."""

import gssapi
import pytest

from support import payload, wire
from support.gss_session import SPNEGO, WANTED_FLAGS
from support.payload import echo_through
from support.process import free_port
from support.servers import KINDS
from support.socks_gss_client import Refused, SocksGssClient


def connect(server):
    return SocksGssClient((server.host, server.port))


@pytest.mark.parametrize("level", [wire.INTEGRITY, wire.CONFIDENTIALITY])
def test_echo_at_level(server, origin, level):
    with connect(server) as client:
        echo_through(client.handshake(server.target, origin.ports["echo"], level))


def test_level_3_is_answered_with_1_or_2(server, origin):
    """RFC 1961 §4.2 as decided: a server answers 3 with 2 or 1."""
    with connect(server) as client:
        assert client.greet() == wire.GSSAPI
        client.establish()
        assert client.negotiate(wire.SELECTIVE) in (wire.INTEGRITY, wire.CONFIDENTIALITY)
        client.request("127.0.0.1", origin.ports["echo"])
        echo_through(client, 1000)


def test_spnego(server, origin):
    with connect(server) as client:
        context = client.new_context(mech=SPNEGO)
        echo_through(client.handshake("127.0.0.1", origin.ports["echo"], context=context))


def test_several_legs(server):
    """DCE style makes Kerberos a mechanism of three legs, which the server ends with a zero-length token (RFC 1961 §3.6).

    As far as the level: DCE style also changes MIT's per-message tokens, and gss_unwrap_iov does not take them as a stream.
    """
    with connect(server) as client:
        assert client.greet() == wire.GSSAPI
        client.establish(client.new_context(flags=WANTED_FLAGS | gssapi.RequirementFlag.dce_style))
        assert client.negotiate(wire.CONFIDENTIALITY) == wire.CONFIDENTIALITY


def test_tokens_by_the_octet(server, origin):
    """The server must assemble what TCP delivers in pieces."""
    with connect(server) as client:
        send = client.socket.sendall
        client.raw = lambda octets: [send(octets[i:i + 1]) for i in range(len(octets))]
        client.handshake("127.0.0.1", origin.ports["echo"])
        client.send(b"slowly")
        assert client.recv_exact(6) == b"slowly"


def test_ipv6_target(server, origin):
    if "echo6" not in origin.ports:
        pytest.skip("no IPv6 loopback")
    with connect(server) as client:
        echo_through(client.handshake("::1", origin.ports["echo6"]), 1000)


def test_numeric_name(server, origin):
    """An address sent as ATYP 3 is still that address."""
    with connect(server) as client:
        echo_through(client.handshake("127.0.0.1", origin.ports["echo"], atyp=3), 1000)


def test_name(server, origin):
    with connect(server) as client:
        echo_through(client.handshake(server.target, origin.ports["echo"], atyp=3), 1000)


def test_unknown_name(server):
    with connect(server) as client, pytest.raises(Refused) as refused:
        client.handshake("no-such-name.invalid", 80)
    assert refused.value.code in (wire.HOST_UNREACHABLE, wire.GENERAL_FAILURE)


def test_refused_target(server):
    with connect(server) as client, pytest.raises(Refused) as refused:
        client.handshake("127.0.0.1", free_port())
    assert refused.value.code == wire.REFUSED


def test_half_close_by_the_client(server, origin):
    with connect(server) as client:
        client.handshake("127.0.0.1", origin.ports["digest"])
        data = payload.octets(500_000, "up")
        client.send(data)
        client.half_close()
        assert client.recv_all().decode().strip() == payload.sha256(500_000, "up")


def test_half_close_by_the_target(server, origin):
    mark = origin.mark()
    with connect(server) as client:
        client.handshake("127.0.0.1", origin.ports["greeter"])
        assert len(client.recv_all()) > 100_000
        client.send(payload.octets(200_000, "late"))
        client.half_close()
        origin.await_event("eof", mark, service="greeter", sha256=payload.sha256(200_000, "late"))


def test_large_and_tiny_frames(server, origin):
    """The greatest plaintext that 65535 octets of token carry, then frames of one octet."""
    with connect(server) as client:
        client.handshake("127.0.0.1", origin.ports["echo"])
        limit = client.gss.limit(True)
        data = payload.octets(limit, "large")
        client.send(data, size=limit)
        assert client.recv_exact(limit) == data
        client.send(data[:500], size=1)
        assert client.recv_exact(500) == data[:500]


def test_pipelined_request_and_data(server, origin):
    """A second frame right behind the request is data for the target."""
    with connect(server) as client:
        assert client.greet() == wire.GSSAPI
        client.establish()
        client.negotiate(wire.CONFIDENTIALITY)
        request = client.seal(wire.encode_request(wire.CONNECT, "127.0.0.1", origin.ports["echo"]))
        client.raw(request + client.seal(b"early"))
        client.read_reply()
        assert client.recv_exact(5) == b"early"


@pytest.mark.parametrize("kind", KINDS)
def test_userpass(start_server, origin, kind):
    running = start_server(kind, methods="userpass", user="alice:wonderland")
    with connect(running) as client:
        assert client.greet((wire.USERPASS,)) == wire.USERPASS
        assert client.authenticate("alice", "wonderland") == 0
        client.request("127.0.0.1", origin.ports["echo"])
        echo_through(client, 10_000)
    for password in ("wonderlan", "wonderland2", "x"):
        with connect(running) as client:
            client.greet((wire.USERPASS,))
            assert client.authenticate("alice", password) != 0  # RFC 1929 §2
            assert client.await_end() == b""


@pytest.mark.parametrize("kind", KINDS)
def test_none(start_server, origin, kind):
    running = start_server(kind, methods="none")
    with connect(running) as client:
        assert client.greet((wire.NONE,)) == wire.NONE
        client.request("127.0.0.1", origin.ports["echo"])
        echo_through(client, 10_000)


@pytest.mark.parametrize("kind", KINDS)
def test_no_acceptable_method(start_server, kind):
    """RFC 1928 §3: FF, then the connection ends."""
    running = start_server(kind, methods="gssapi")
    with connect(running) as client:
        assert client.greet((wire.NONE, wire.USERPASS)) == wire.NO_ACCEPTABLE
        client.half_close()
        assert client.await_end() == b""
