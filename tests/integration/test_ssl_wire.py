"""What crosses the wire with the SSL method, recorded by a tap: the greeting, then TLS in frames, and nothing else."""

import pytest

from support import payload, wire
from support.runner import program
from support.servers import KINDS, Tls
from support.tap import DOWN, UP, Tap, check_ssl

CREDENTIALS = {"SOCKSIFY_USER": "alice", "SOCKSIFY_PASSWORD": "wonderland"}
SECRETS = (b"alice", b"wonderland")
MARKERS = (payload.MARKER, b"GET /", b"HTTP/1.1", b"origin.test", *SECRETS)


@pytest.fixture(params=KINDS)
def tapped(request, start_server, pki):
    """A tap before a server of SSL: `tapped(subauth="userpass")`."""
    taps = []

    def start(methods="ssl", options=(), **tls):
        server = start_server(request.param, methods=methods, tls=Tls(pki, **tls) if "ssl" in methods else None,
                              user="alice:wonderland", options=options)
        taps.append(Tap((server.host, server.port), server.client_env))
        taps[-1].target_name = server.target
        return taps[-1]

    yield start
    for tap in taps:
        tap.close()


def fetch(socksify, tap, origin, **more):
    done = socksify.run(tap, ["curl", "-sS", f"http://{tap.target_name}:{origin.ports['http']}/page"], **more)
    assert payload.MARKER in done.stdout, done.stderr
    assert done.stderr == ""
    (connection,) = tap.await_done()
    return connection


def kinds(pieces):
    return list(dict.fromkeys(piece.kind for piece in pieces))


@pytest.mark.parametrize("subauth", ["", "userpass", "chap"])
def test_only_frames(tapped, origin, socksify, subauth):
    """Each STATE in its turn, the closing one too, in both directions."""
    connection = fetch(socksify, tapped(subauth=subauth), origin, env=CREDENTIALS | {"SOCKSIFY_SUBAUTH": subauth})
    client, server = check_ssl(connection, MARKERS)
    assert client[0].octets == bytes([wire.SOCKS, 1, wire.SSL])  # `--methods ssl` offers nothing else
    assert kinds(client) == ["greeting", "handshake", "options", "data", "closing"]
    assert kinds(server) == ["choice", "handshake", "options", "data", "closing"]


def test_frames_never_mix_records_of_the_states(tapped, origin, socksify):
    """Every frame of ours from TLS 1.3's end of the handshake on is whole records of application data."""
    connection = fetch(socksify, tapped(), origin)
    client, _ = check_ssl(connection)
    for piece in client:
        if piece.kind in ("options", "data", "closing"):
            octets = piece.octets[4:]
            while octets:
                assert octets[:3] == b"\x17\x03\x03", piece
                octets = octets[5 + int.from_bytes(octets[3:5], "big"):]


def test_records_fill_frames(tapped, origin, socksify):
    """Bulk goes in large records and large frames."""
    tap = tapped()
    done = socksify.run(tap, program("half_close", tap.target_name, origin.ports["echo"], 3_000_000))
    assert done.returncode == 0, done.stderr
    (connection,) = tap.await_done()
    client, _ = check_ssl(connection, MARKERS)
    data = [piece for piece in client if piece.kind == "data"]
    assert sum(len(piece.octets) for piece in data) < 3_000_000 * 1.01
    assert len(data) < 3_000_000 / 10_000


@pytest.mark.parametrize("setting, greeting, choice", [
    ("0x86", [0x86], 0x86), ("0x06", [0x06], 0x06), ("both", [0x86, 0x06], 0x86)])
def test_the_number_of_the_method(tapped, origin, socksify, setting, greeting, choice):
    """The draft's, IANA's, or both; a server takes either."""
    connection = fetch(socksify, tapped(), origin, options=["--ssl-method", setting])
    assert connection.octets[UP].startswith(bytes([wire.SOCKS, len(greeting), *greeting]))
    assert connection.octets[DOWN].startswith(bytes([wire.SOCKS, choice]))


@pytest.mark.parametrize("methods, greeting", [
    ("ssl,gssapi", [0x86, 1]), ("gssapi,ssl", [1, 0x86]), ("ssl,chap,userpass", [0x86, 3, 2]), ("chap", [3]),
    ("userpass", [2]), ("chap,userpass", [3, 2])])
def test_only_what_is_listed_is_offered(tapped, origin, socksify, methods, greeting):
    tap = tapped(methods=methods)
    connection = fetch(socksify, tap, origin, env=CREDENTIALS)
    assert connection.octets[UP].startswith(bytes([wire.SOCKS, len(greeting), *greeting]))
    assert connection.octets[DOWN][1] == greeting[0]  # these servers prefer in the same order
    assert (b"wonderland" in connection.octets[UP]) == (methods == "userpass")


@pytest.mark.parametrize("methods", ["ssl", "ssl,chap", "chap"])
def test_a_password_never_goes_in_clear(tapped, origin, socksify, methods):
    """The server would like userpass best, outside TLS and in it; what is not listed is not given."""
    tap = tapped(methods="userpass,chap,ssl", subauth="userpass")
    done = socksify.run(tap, ["curl", "-sS", f"http://{tap.target_name}:{origin.ports['http']}/page"],
                        env=CREDENTIALS | {"SOCKSIFY_METHODS": methods, "SOCKSIFY_SUBAUTH": "userpass"})
    assert payload.MARKER in done.stdout, done.stderr
    (connection,) = tap.await_done()
    for octets in connection.octets.values():
        assert b"wonderland" not in octets


CLOSERS = {"close": ("greeter", "greeter"), "shutdown": ("half_close", "echo"), "exit": ("left_open", "echo")}


@pytest.mark.parametrize("how", CLOSERS)
def test_we_close_in_order(tapped, origin, socksify, how):
    """close(), shutdown(SHUT_WR) and the end of the program: close_notify in STATE 4."""
    tap = tapped()
    name, service = CLOSERS[how]
    done = socksify.run(tap, program(name, tap.target_name, origin.ports[service], 1000))
    assert done.returncode == 0, done.stderr
    (connection,) = tap.await_done()
    client, _ = check_ssl(connection)
    closing = [piece for piece in client if piece.kind == "closing"]
    assert closing and client[-1].kind == "closing" and len(closing[-1].octets) > 4
    assert closing[0].octets[4:7] == b"\x17\x03\x03"  # TLS 1.3: an alert, encrypted
