"""What crosses the wire, recorded by a tap: a method choice, then RFC 1961 frames and nothing else."""

import pytest

from support import payload, wire
from support.runner import program
from support.tap import Tap, check_rfc1961

LEVELS = ("integrity", "confidentiality")


@pytest.fixture
def tap(server):
    with Tap((server.host, server.port)) as running:
        yield running


def page_url(server, origin):
    return f"http://{server.target}:{origin.ports['http']}/page"


@pytest.mark.parametrize("level", LEVELS)
def test_only_frames(server, origin, socksify, tap, level):
    done = socksify.run(tap.address, ["curl", "-sS", page_url(server, origin)], level=level)
    assert payload.MARKER in done.stdout, done.stderr
    (connection,) = tap.await_done()
    markers = (payload.MARKER, b"GET /", b"HTTP/1.1", b"origin.test") if level == "confidentiality" else ()
    client, answers = check_rfc1961(connection, markers)
    assert client[0].octets == bytes([wire.SOCKS, 1, wire.GSSAPI])  # only what is listed is offered
    assert [p.kind for p in client[:4]] == ["greeting", "token", "level", "data"]
    assert [p.kind for p in answers[:4]] == ["choice", "token", "level", "data"]


def test_at_integrity_the_plaintext_shows(server, origin, socksify, tap):
    """The oracle of the checks above: the same markers are found where nothing is encrypted."""
    socksify.run(tap.address, ["curl", "-sS", page_url(server, origin)], level="integrity")
    (connection,) = tap.await_done()
    with pytest.raises(AssertionError):
        check_rfc1961(connection, (payload.MARKER,))


@pytest.mark.parametrize("level", LEVELS)
def test_upload_and_download(server, origin, socksify, tap, level):
    """A million octets each way with the marker in them."""
    data = (payload.MARKER + b"\n") * 50_000
    done = socksify.run(tap.address, ["curl", "-sS", "-T", "-", page_url(server, origin)], input=data, level=level)
    assert done.returncode == 0, done.stderr
    done = socksify.run(tap.address, program("half_close", server.target, origin.ports["echo"], 1_000_000), level=level)
    assert done.returncode == 0, done.stderr
    for connection in tap.await_done():
        check_rfc1961(connection, (payload.MARKER,) if level == "confidentiality" else ())


def test_no_empty_tokens_and_one_request_frame(server, origin, socksify, tap):
    """protocol.md §1: the request alone in its frame; never a token of empty plaintext (60 octets at level 2)."""
    socksify.run(tap.address, ["curl", "-sS", page_url(server, origin)])
    (connection,) = tap.await_done()
    client, _ = check_rfc1961(connection)
    data = [p for p in client if p.kind == "data"]
    overhead = 60  # aes256-cts-hmac-sha1-96
    name = server.target.encode()
    size = 4 + 1 + len(name) + 2 if server.target == "origin.test" else 4 + 4 + 2
    assert len(data[0].octets) == 4 + overhead + size
    assert all(len(p.octets) > 4 + overhead for p in data)


def test_ticket_is_for_the_right_name(independent, origin, socksify):
    """`socks` is tried first, over `service@host`; delegation stays off without the realm's word for it."""
    mark = independent.mark()
    socksify.run(independent, ["curl", "-sS", page_url(independent, origin)])
    context = independent.await_event("context", mark)
    assert context["service"].startswith("socks/127.0.0.1@")
    assert context["client"].startswith("alice@")
    assert context["delegated"] is False


def test_the_name_goes_to_the_server(independent, origin, socksify):
    """Remote DNS: the request carries ATYP 3 and the name."""
    mark = independent.mark()
    socksify.run(independent, ["curl", "-sS", page_url(independent, origin)])
    request = independent.await_event("request", mark)
    assert (request["atyp"], request["host"]) == (3, "origin.test")
