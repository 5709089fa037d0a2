"""Both servers speak the SSL method to a client that shares no code with ours, and outlive one that breaks every rule."""

import errno
import ssl

import pytest

from support import chap, payload, tls_stream, wire
from support.payload import echo_through
from support.process import free_port
from support.servers import KINDS, Tls
from support.socks_gss_client import Refused
from test_ssl_reference import USER, connect


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def server(kind, long_lived):
    """It must outlive the test."""
    yield long_lived(kind, "ssl")
    long_lived(kind, "ssl")


@pytest.fixture
def subauth_server(kind, start_server, pki):
    return start_server(kind, methods="ssl", tls=Tls(pki, subauth="chap,userpass"), user=":".join(USER))


@pytest.fixture(params=["1.2", "1.3"])
def context(request, pki):
    return tls_stream.client_context(pki.ca, version=request.param)


def up_to(client, stage, context):
    """A client whose TLS stands; "options" agreed; a "request" answered."""
    assert client.greet((wire.SSL,)) == wire.SSL
    client.establish(context)
    if stage in ("options", "request"):
        assert client.options(()) == ()
    return client


# --- as it should be ---


@pytest.mark.parametrize("frame", [1, 7, 65535])
def test_echo(server, origin, context, frame):
    with connect(server, frame=frame) as client:
        echo_through(client.handshake("127.0.0.1", origin.ports["echo"], context), 20_000 if frame == 1 else 300_000)
        assert client.stream.states == [1, 2, 3, 4]


@pytest.mark.parametrize("method", [wire.SSL, wire.SSL_IANA])
def test_both_numbers(server, origin, context, method):
    with connect(server) as client:
        echo_through(client.handshake("127.0.0.1", origin.ports["echo"], context, methods=(method,)), 1000)


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_with_and_without_sni(server, origin, context, name):
    with connect(server) as client:
        echo_through(client.handshake("127.0.0.1", origin.ports["echo"], context, server_name=name), 1000)


def test_name_of_the_target(server, origin, context):
    with connect(server) as client:
        echo_through(client.handshake(server.target, origin.ports["echo"], context, atyp=3), 1000)


def test_refused_target(server, context):
    with connect(server) as client:
        with pytest.raises(Refused) as refused:
            client.handshake("127.0.0.1", free_port(), context)
        assert refused.value.code == wire.REFUSED
        assert client.recv() == b""  # in order


def test_half_close_by_the_client(server, origin, context):
    with connect(server) as client:
        client.handshake("127.0.0.1", origin.ports["digest"], context)
        client.send(payload.octets(500_000, "up"))
        client.half_close()
        assert client.recv_all().decode().strip() == payload.sha256(500_000, "up")


def test_half_close_by_the_target(server, origin, context):
    mark = origin.mark()
    with connect(server) as client:
        client.handshake("127.0.0.1", origin.ports["greeter"], context)
        assert len(client.recv_all()) > 100_000
        client.send(payload.octets(200_000, "late"))
        client.half_close()
        origin.await_event("eof", mark, service="greeter", sha256=payload.sha256(200_000, "late"))


def test_resumption(server, origin, context):
    session = None
    for resumed in (False, True, True):
        with connect(server) as client:
            client.handshake("127.0.0.1", origin.ports["echo"], context, session=session)
            echo_through(client, 1000)
            assert client.stream.tls.session_reused == resumed
            session = client.stream.tls.session


def test_key_update(server, origin, pki):
    with connect(server) as client:
        client.handshake("127.0.0.1", origin.ports["echo"], tls_stream.client_context(pki.ca, version="1.3"))
        for _ in range(5):
            client.stream.key_update()
            client.send(b"new key")
            assert client.recv_exact(7) == b"new key"


def test_no_renegotiation(kind, server, origin, pki):
    if kind != "socksd-gss":
        pytest.skip("OpenSSL does it")
    with connect(server) as client:
        client.handshake("127.0.0.1", origin.ports["echo"], tls_stream.client_context(pki.ca, version="1.2"))
        client.stream.renegotiate()
        with pytest.raises((OSError, wire.ProtocolError)):
            client.recv()


def test_datagrams_in_clear_are_not_agreed_by_default(server, context):
    """Without UDP-Naked there is no UDP ASSOCIATE (protocol.md §2)."""
    with connect(server) as client:
        up_to(client, "options", context)
        with pytest.raises(Refused) as refused:
            client.request("0.0.0.0", 0, command=3)
        assert refused.value.code == wire.BAD_COMMAND


def test_pipelined(server, origin, context):
    """Options, request and data in one breath: the server reads what it is given, in order."""
    with connect(server) as client:
        up_to(client, "handshake", context)
        client.stream.write(b"\0" + wire.encode_request(wire.CONNECT, "127.0.0.1", origin.ports["echo"]) + b"early")
        assert wire.read_exact(client.reader, 1) == b"\0"
        client.read_reply()
        assert client.recv_exact(5) == b"early"


@pytest.mark.parametrize("state", [1, 2, 4])
def test_state_decides_nothing(server, origin, context, state):
    """VER, STATE and LEN lie outside TLS (protocol.md §2)."""
    with connect(server) as client:
        client.handshake("127.0.0.1", origin.ports["echo"], context)
        client.stream.state = state
        client.send(b"regressed")
        assert client.recv_exact(9) == b"regressed"
        client.put([tls_stream.frame(3, b""), tls_stream.frame(1, b"")])
        echo_through(client, 1000)


# --- options and subauthentication ---


@pytest.mark.parametrize("offered", [(), (0x7F,), (0x10, 0x10), (0x20, 0x21, 0xFF), tuple(range(2, 256))],
                         ids=["none", "unknown", "twice", "several", "all"])
def test_options_unknown(server, origin, context, offered):
    """Unknown ones are ignored, and what is answered is a subset in the order offered."""
    with connect(server) as client:
        up_to(client, "handshake", context)
        agreed = client.options(offered)
        assert set(agreed) <= {tls_stream.UDP_NAKED} & set(offered) and len(agreed) == len(set(agreed))
        client.request("127.0.0.1", origin.ports["echo"])
        echo_through(client, 1000)


@pytest.mark.parametrize("offered", [(1,), (0x7F, 1, 0x7F), (1, 1)], ids=["alone", "among others", "twice"])
@pytest.mark.parametrize("method", [wire.USERPASS, wire.CHAP])
def test_subauthentication(subauth_server, origin, context, method, offered):
    with connect(subauth_server) as client:
        up_to(client, "handshake", context)
        assert client.options(offered) == (1,)
        assert client.subauthenticate(method, *USER)
        client.request("127.0.0.1", origin.ports["echo"])
        echo_through(client, 1000)
        assert client.stream.states == [1, 2, 3, 4]


def test_subauthentication_is_not_agreed_where_none_is_wanted(server, context):
    with connect(server) as client:
        up_to(client, "handshake", context)
        assert client.options((1,)) == ()


@pytest.mark.parametrize("user", ["alice", "bob"])
@pytest.mark.parametrize("method", [wire.USERPASS, wire.CHAP])
def test_subauthentication_fails(subauth_server, context, method, user):
    """The method's failure status, then close_notify in STATE 4."""
    with connect(subauth_server) as client:
        up_to(client, "handshake", context)
        client.options()
        assert client.greet((method,)) == method
        if method == wire.USERPASS:
            assert client.authenticate(user, "wrong") != 0
        else:
            with pytest.raises(chap.Refused):
                client.chap(user, "wrong")
        assert client.recv() == b""
        assert client.stream.states[-1] == tls_stream.CLOSING


def test_required_but_not_offered(subauth_server, context):
    """The fatal alert access_denied; OpenSSL can only close."""
    with connect(subauth_server) as client:
        up_to(client, "handshake", context)
        denied = (ssl.SSLError, "(?i)access.denied") if subauth_server.kind == "socksd-gss" else (wire.Closed, "")
        with pytest.raises(denied[0], match=denied[1]):
            client.options(())


@pytest.mark.parametrize("methods", [(wire.NONE,), (wire.GSSAPI,), (wire.SSL, 0x42)], ids=["none", "gssapi", "ssl"])
def test_no_method_in_common(subauth_server, context, methods):
    with connect(subauth_server) as client:
        up_to(client, "handshake", context)
        client.options()
        assert client.greet(methods) == wire.NO_ACCEPTABLE
        assert client.recv() == b""


@pytest.mark.parametrize("how", ["mutual", "unknown attributes", "two messages' worth of user"])
def test_ways_of_chap(subauth_server, origin, context, how):
    with connect(subauth_server) as client:
        up_to(client, "handshake", context)
        client.options()
        assert client.greet((wire.CHAP,)) == wire.CHAP
        more = {"unknown attributes": [(0x7E, b"what"), (chap.TEXT, b"hi")]}.get(how, ())
        client.chap(*USER, mutual=how == "mutual", first=more)
        client.request("127.0.0.1", origin.ports["echo"])
        echo_through(client, 1000)


def test_no_request_before_subauthentication(subauth_server, origin, context):
    """A client that goes straight to its request reaches nobody."""
    with origin.untouched("echo"), connect(subauth_server) as client:
        up_to(client, "handshake", context)
        assert client.options() == (1,)
        client.raw(wire.encode_request(wire.CONNECT, "127.0.0.1", origin.ports["echo"]))
        with pytest.raises((wire.ProtocolError, wire.Closed, OSError)):
            client.read_reply()


# --- as it must not be ---


def frames(*pairs):
    return b"".join(tls_stream.frame(state, octets) for state, octets in pairs)


HOSTILE = {
    "no frames": b"GET / HTTP/1.1\r\n\r\n", "version 0": b"\0\1\0\0", "version 5": b"\5\1\0\0", "state 0": b"\1\0\0\0",
    "state 5": b"\1\5\0\1x", "state 255": b"\1\xff\0\0", "no TLS": frames((1, b"no TLS at all, but a good frame")),
    "a closing frame of nothing": frames((4, b"")), "SSL 2": frames((1, b"\x80\x2e\x01\x00\x02")),
    "a record too long": frames((3, b"\x17\x03\x03\xff\xff" + b"x" * 65530)),
    "an alert in clear": frames((1, b"\x15\x03\x03\0\2\1\0")),
}


@pytest.mark.parametrize("stage", ["greeting", "handshake", "options", "request"])
@pytest.mark.parametrize("octets", HOSTILE.values(), ids=HOSTILE)
def test_hostile_octets(server, origin, context, octets, stage):
    """The session ends, and nothing is taken for a request, data or the end of it; the server lives."""
    mark = origin.mark()
    with connect(server) as client:
        if stage == "greeting":
            assert client.greet((wire.SSL,)) == wire.SSL
        else:
            up_to(client, stage, context)
        if stage == "request":
            client.request("127.0.0.1", origin.ports["discard"])
        client.socket.sendall(octets)
        client.fin()
        client.reader = client.stream.reader if client.stream else client.reader
        client.await_end()
    if stage == "request":
        origin.await_event("broken", mark, service="discard", error=errno.ECONNRESET)
    with connect(server) as client:
        echo_through(client.handshake("127.0.0.1", origin.ports["echo"], context), 100)


@pytest.mark.parametrize("how", ["fin", "empty close", "inside a frame", "inside a record"])
def test_truncated_upload_is_no_end_of_file(server, origin, context, how):
    """The target must not take a cut for the client's end: it is reset."""
    mark = origin.mark()
    with connect(server) as client:
        client.handshake("127.0.0.1", origin.ports["digest"], context)
        client.send(b"x" * 10_000)
        client.socket.sendall({"fin": b"", "empty close": frames((4, b"")), "inside a frame": b"\1\3\1",
                               "inside a record": frames((3, b"\x17\x03\x03\x10"))}[how])
        client.fin()
        origin.await_event("broken", mark, service="digest", error=errno.ECONNRESET)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 9])
def test_userpass_of_wrong_sizes(subauth_server, context, size):
    with connect(subauth_server) as client:
        up_to(client, "handshake", context)
        client.options()
        client.greet((wire.USERPASS,))
        client.raw((b"\1\0\0" if size == 3 else b"\1\xff" + b"u" * size)[:size])
        client.half_close()
        with pytest.raises((wire.Closed, wire.ProtocolError, OSError)):
            if wire.read_exact(client.reader, 2)[1] != 0:
                raise wire.Closed


@pytest.mark.parametrize("message", [
    b"\1\0", b"\2\1\x11\1\x85", b"\1\1\x11\0", b"\1\1\x11\1\x05", b"\1\1\2\5alice", b"\1\2\x11\1\x85\x04\xff",
], ids=bytes.hex)
def test_chap_refuses(subauth_server, context, message):
    """No attributes, another version, no algorithm, MD5, no algorithms at all, cut short: none of it gets in."""
    with connect(subauth_server) as client:
        up_to(client, "handshake", context)
        client.options()
        client.greet((wire.CHAP,))
        client.raw(message)
        client.half_close()
        try:
            said = chap.read(client.reader)
        except (wire.Closed, wire.ProtocolError, OSError):
            return
        assert said.get(chap.STATUS, b"\0") != b"\0" and chap.CHALLENGE not in said


def test_length_of_a_frame_is_no_promise(server, origin, context):
    """A frame of 65535 octets that come one by one is still one frame."""
    with connect(server) as client:
        client.handshake("127.0.0.1", origin.ports["echo"], context)
        client.stream.put = lambda pieces: [client.socket.sendall(bytes([octet])) for octet in b"".join(pieces)]
        client.send(b"slowly")
        assert client.recv_exact(6) == b"slowly"
