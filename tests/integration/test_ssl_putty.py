"""PuTTY as a client: CHAP and RFC 1929 as somebody else has read them."""

import signal
import subprocess

import pytest

from support import payload, wire
from support.putty import plink
from support.servers import KINDS
from support.sshd import Sshd
from support.tap import UP, Tap

USER = {"user": "alice", "password": "wonderland"}


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def server_of(start_server, kind):
    return lambda methods: start_server(kind, methods=methods, user=":".join(USER.values()))


@pytest.mark.parametrize("method", ["chap", "userpass"])
def test_echo(server_of, origin, tmp_path, method):
    server = server_of(method)
    data = payload.octets(100_000, "putty")
    with Tap((server.host, server.port)) as tap:
        done = plink(tmp_path, tap, server.target, origin.ports["echo"], **USER, input=data)
        # Debian's plink 0.78 crashes at its end now and then, once it has written everything.
        assert done.stdout == data and done.returncode in (0, -signal.SIGSEGV), done
        (connection,) = tap.await_done()
    said = bytes(connection.octets[UP])
    assert said.startswith(bytes([wire.SOCKS, 3, wire.NONE, wire.CHAP, wire.USERPASS]))  # the server's choice decides
    assert (b"wonderland" in said) == (method == "userpass")


@pytest.mark.parametrize("method, message", [
    ("chap", b"CHAP authentication failed"), ("userpass", b"rejected our password")])
@pytest.mark.parametrize("user, password", [("alice", "Wonderland"), ("bob", "wonderland")])
def test_refused(server_of, origin, tmp_path, method, message, user, password):
    server = server_of(method)
    with origin.untouched("echo"):
        done = plink(tmp_path, server, server.target, origin.ports["echo"], user=user, password=password)
    assert done.returncode != 0 and message in done.stderr, done


def test_the_server_prefers_in_its_order(server_of, origin, tmp_path):
    server = server_of("chap,userpass")
    with Tap((server.host, server.port)) as tap:
        assert plink(tmp_path, tap, server.target, origin.ports["echo"], **USER, input=b"hello").stdout == b"hello"
        (connection,) = tap.await_done()
    assert b"wonderland" not in connection.octets[UP]


def test_ssh(server_of, tmp_path):
    """A whole SSH session by it."""
    server = server_of("chap")
    (tmp_path / "sshd").mkdir()
    with Sshd(tmp_path / "sshd") as sshd:
        # plink takes PuTTY's key format only.
        subprocess.run(["puttygen", sshd.dir / "client_key", "-O", "private", "-o", tmp_path / "key.ppk"], check=True)
        host_key = subprocess.run(["ssh-keygen", "-lf", sshd.dir / "host_key.pub"], check=True,
                                  capture_output=True, text=True)
        done = plink(tmp_path, server, server.target, sshd.port, **USER, protocol="ssh", login=sshd.user,
                     key=tmp_path / "key.ppk", input=payload.octets(1_000_000, "plink"),
                     options=["-hostkey", host_key.stdout.split()[1], "cat"])
    assert done.stdout == payload.octets(1_000_000, "plink"), done.stderr
