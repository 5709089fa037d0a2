"""Hostile and broken clients against both servers: the session ends, the server lives, nothing of the bad frame arrives."""

import socket

import pytest

from support import payload, wire
from support.servers import KINDS
from support.socks_gss_client import SocksGssClient


def connect(server):
    return SocksGssClient((server.host, server.port))


def still_serves(server, origin):
    with connect(server) as client:
        client.handshake("127.0.0.1", origin.ports["echo"])
        client.send(b"alive")
        assert client.recv_exact(5) == b"alive"


def _twice(client):
    frame = client.seal(b"first")
    return [frame, frame], b"first"


def _gap(client):
    first, _, third = client.seal(b"first"), client.seal(b"lost"), client.seal(b"third")
    return [first, third], b"first"


def _reordered(client):
    first, second, third = client.seal(b"first"), client.seal(b"second"), client.seal(b"third")
    return [first, third, second], b"first"


def _altered(client):
    first, second = client.seal(b"first"), bytearray(client.seal(b"second"))
    second[-5] ^= 0x10
    return [first, bytes(second)], b"first"


def _empty_frame(client):
    return [client.seal(b"first"), bytes.fromhex("01 03 00 00")], b"first"


def _wrong_version(client):
    return [client.seal(b"first"), b"\x05" + client.seal(b"second")[1:]], b"first"


def _wrong_type(client):
    return [client.seal(b"first"), b"\x01\x02" + client.seal(b"second")[2:]], b"first"


def _in_clear(client):
    return [client.seal(b"first"), b"GET / HTTP/1.0\r\n\r\n"], b"first"


def _not_encrypted(client):
    return [client.seal(b"first"), wire.Frame(wire.DATA, client.gss.wrap(b"second", False)).encode()], b"first"


def _abort(client):
    return [client.seal(b"first"), b"\x01\xff"], b"first"


FRAMES = [_twice, _gap, _reordered, _altered, _empty_frame, _wrong_version, _wrong_type, _in_clear, _not_encrypted, _abort]


@pytest.mark.parametrize("fault", FRAMES, ids=lambda f: f.__name__.strip("_"))
def test_data_frame(server, origin, fault):
    """protocol.md §1: anything but a token that opens with exactly GSS_S_COMPLETE ends the connection."""
    with connect(server) as client:
        client.handshake("127.0.0.1", origin.ports["echo"])
        frames, good = fault(client)
        client.raw(frames[0])
        assert client.recv_exact(len(good)) == good
        received = bytearray()
        try:  # the server ends the session by itself, perhaps before we have said it all: we close nothing
            for frame in frames[1:]:
                client.raw(frame)
            while piece := client.recv():
                received += piece
        except (ConnectionError, wire.ProtocolError, wire.Aborted):
            pass
        assert b"second" not in received and b"third" not in received and b"GET" not in received
    still_serves(server, origin)


def test_empty_token_is_ignored(server, origin):
    """protocol.md: a token of empty plaintext is received and ignored."""
    with connect(server) as client:
        client.handshake("127.0.0.1", origin.ports["echo"])
        client.raw(client.seal(b"") + client.seal(b"after"))
        assert client.recv_exact(5) == b"after"


@pytest.mark.parametrize("level", [0, 4, 0x80, 0xFF])
def test_level_out_of_range(server, origin, level):
    with connect(server) as client:
        client.greet()
        client.establish()
        client.raw(wire.Frame(wire.LEVEL, client.gss.wrap(bytes([level]), False)).encode())
        refused_or_raised(client)
    still_serves(server, origin)


def refused_or_raised(client):
    """The server either ends the session or answers with a level that it does allow: never with the one asked for."""
    try:
        frame = wire.read_frame(client.reader)
    except (wire.Closed, wire.Aborted, wire.ProtocolError, ConnectionError):
        return
    assert client.gss.unwrap(frame.token)[0] in (b"\x01", b"\x02")


@pytest.mark.parametrize("plaintext", [b"", b"\x02\x02"], ids=["empty", "two-octets"])
def test_level_of_wrong_size(server, origin, plaintext):
    with connect(server) as client:
        client.greet()
        client.establish()
        client.raw(wire.Frame(wire.LEVEL, client.gss.wrap(plaintext, False)).encode())
        assert client.await_end() in (b"", b"\x01\xff")
    still_serves(server, origin)


@pytest.mark.parametrize("greeting", ["04 01 01", "05 00", "47 45 54 20 2f", "00 00", "16 03 01 02 00"])
def test_not_a_greeting(server, origin, greeting):
    with connect(server) as client:
        client.raw(bytes.fromhex(greeting))
        client.half_close()
        assert client.await_end() in (b"", b"\x05\xff")
    still_serves(server, origin)


@pytest.mark.parametrize("message", ["01 01 00 00", "01 01 00 04 de ad be ef", "01 02 00 01 02", "01 03 00 01 00", "01 ff",
                                     "05 01 00 01 7f 00 00 01 00 50"])
def test_not_a_context(server, origin, message):
    """Refusals are `01 FF` (RFC 1961 §3.8) or the bare end, never anything that looks like success."""
    with connect(server) as client:
        assert client.greet() == wire.GSSAPI
        client.raw(bytes.fromhex(message))
        client.half_close()
        assert client.await_end() in (b"", b"\x01\xff")
    still_serves(server, origin)


@pytest.mark.parametrize("request_octets", ["04 01 00 01 7f 00 00 01 00 50", "05 01 00 09 7f 00 00 01 00 50",
                                            "05 01 00 03 00 00 50", "05", "05 01 00 01 7f 00"])
def test_malformed_request(server, origin, request_octets):
    with connect(server) as client:
        client.greet()
        client.establish()
        client.negotiate(wire.CONFIDENTIALITY)
        client.raw(client.seal(bytes.fromhex(request_octets)))
        client.half_close()
        try:
            reply = client.recv_exact(2)
            assert reply[0] == wire.SOCKS and reply[1] != wire.OK
        except (wire.Closed, wire.Aborted, wire.ProtocolError, ConnectionError):
            pass
    still_serves(server, origin)


@pytest.mark.parametrize("kind", KINDS)
def test_handshake_cut_at_every_octet(start_server, origin, kind):
    """The client goes after every octet of its handshake; each time the server ends the session, and lives."""
    server = start_server(kind)
    greeting = bytes([wire.SOCKS, 1, wire.GSSAPI])
    token = wire.Frame(wire.TOKEN, SocksGssClient.new_context().step()).encode()

    def ends(client):
        client.half_close()
        assert client.await_end() in (b"", b"\x01\xff", b"\x05\xff")

    for cut in range(len(greeting)):
        with connect(server) as client:
            client.raw(greeting[:cut])
            ends(client)
    for cut in range(len(token)):
        with connect(server) as client:
            client.greet()
            client.raw(token[:cut])
            ends(client)
    for stage in ("level", "request", "data"):
        cut = 0
        while True:
            with connect(server) as client:
                client.greet()
                client.establish()
                if stage == "level":
                    message = wire.Frame(wire.LEVEL, client.gss.wrap(b"\x02", False)).encode()
                else:
                    client.negotiate(wire.CONFIDENTIALITY)
                    message = client.seal(wire.encode_request(wire.CONNECT, "127.0.0.1", origin.ports["echo"]))
                if stage == "data":
                    client.raw(message)
                    client.read_reply()
                    message = client.seal(b"never")
                if cut == len(message):
                    break
                client.raw(message[:cut])
                ends(client)
            cut += 1
    still_serves(server, origin)


def test_reset_at_each_stage(server, origin):
    """RST instead of FIN."""
    for stages in range(5):
        client = connect(server)
        for step in (lambda: client.greet(), lambda: client.establish(), lambda: client.negotiate(2),
                     lambda: client.request("127.0.0.1", origin.ports["chargen"]), lambda: client.recv())[:stages]:
            step()
        client.reader.close()
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.socket.close()
    still_serves(server, origin)


def test_reader_that_stops(server, origin):
    """A client that does not read holds up its own session only; what it gets later is intact."""
    with connect(server) as slow:
        slow.handshake("127.0.0.1", origin.ports["stream"])
        slow.send(b"20000000 slow\n")
        still_serves(server, origin)
        assert slow.recv_all() == payload.octets(20_000_000, "slow")
