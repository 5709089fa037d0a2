"""Dante as the server, if DANTED names a sockd built with GSSAPI: the same programs at levels 1, 2 and NEC.

Debian's package has no GSSAPI; one configured with --with-gssapi from `apt-get source dante` does.
"""

import getpass
import json
import os
import socket
import subprocess

import pytest

from support import payload, wire
from support.process import HANG, await_port, free_port, stop
from support.runner import program
from support.servers import LEVELS, base_env
from support.socks_gss_client import SocksGssClient
from support.tap import Tap, check_rfc1961
from support.udp_client import Association, unordered_context

DANTED = os.environ.get("DANTED")
pytestmark = pytest.mark.skipif(not DANTED, reason="DANTED names no GSSAPI-enabled Dante sockd")

CONFIG = """\
logoutput: {dir}/danted.log
internal: 127.0.0.1 port = {port}
external: 127.0.0.1
clientmethod: none
socksmethod: gssapi
user.privileged: {user}
user.unprivileged: {user}
client pass {{
    from: 127.0.0.0/8 to: 0.0.0.0/0
    gssapi.servicename: socks
    gssapi.keytab: FILE:{keytab}
    {nec}
}}
socks pass {{
    from: 127.0.0.0/8 to: 0.0.0.0/0
    protocol: tcp udp
    command: connect bind udpassociate
    socksmethod: gssapi
    gssapi.servicename: socks
    gssapi.keytab: FILE:{keytab}
    gssapi.enctype: {level}
}}
socks pass {{
    from: 0.0.0.0/0 to: 127.0.0.0/8
    protocol: tcp udp
    command: bindreply udpreply
    socksmethod: gssapi
    gssapi.servicename: socks
    gssapi.keytab: FILE:{keytab}
    gssapi.enctype: {level}
}}
"""
VARIANTS = {"integrity": ("integrity", ()), "confidentiality": ("confidentiality", ()),
            "nec": ("confidentiality", ("--gss-nec=1",))}


@pytest.fixture(scope="module", params=VARIANTS)
def dante(request, realm, tmp_path_factory):
    """(address, protection, options): one sockd per variant."""
    directory = tmp_path_factory.mktemp(f"dante-{request.param}")
    level, options = VARIANTS[request.param]
    port = free_port()
    nec = "clientcompatibility: necgssapi" if options else ""
    (directory / "danted.conf").write_text(CONFIG.format(
        dir=directory, port=port, user=getpass.getuser(), keytab=realm.keytab, level=level, nec=nec))
    process = subprocess.Popen([DANTED, "-f", str(directory / "danted.conf"), "-p", str(directory / "pid")],
                               env=base_env(realm.server_env), stdin=subprocess.DEVNULL)
    await_port("127.0.0.1", port, process)
    yield f"127.0.0.1:{port}", level, options
    stop(process)


def run(socksify, dante, argv, **more):
    address, level, options = dante
    done = socksify.run(address, argv, level=level, options=options, **more)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    return done.stdout


def test_independent_client(dante, origin):
    """The measure of the others: the tests' own client passes through the same sockd."""
    address, level, options = dante
    with SocksGssClient(wire.parse_endpoint(address)) as client:
        client.handshake("127.0.0.1", origin.ports["echo"], int(LEVELS[level]), nec=bool(options))
        client.send(payload.octets(50_000))
        assert client.recv_exact(50_000) == payload.octets(50_000)


def test_independent_client_datagrams(dante, udp_origin):
    address, level, options = dante
    client = SocksGssClient(wire.parse_endpoint(address)).login(int(LEVELS[level]), unordered_context(), nec=bool(options))
    with Association(client) as association:
        for size in (1, 1000, 8000):
            data = payload.octets(size)
            association.send(data, "127.0.0.1", udp_origin.port)
            assert association.recv() == ("127.0.0.1", udp_origin.port, data)


def test_independent_client_bind(dante):
    address, level, options = dante
    with SocksGssClient(wire.parse_endpoint(address)) as client:
        client.login(int(LEVELS[level]), nec=bool(options))
        bound = client.request("0.0.0.0", 0, command=wire.BIND)
        with socket.create_connection(bound, 10) as peer:
            assert client.read_reply() == peer.getsockname()
            client.send(b"to the peer")
            assert peer.recv(100) == b"to the peer"
            peer.sendall(b"from the peer")
            assert client.recv() == b"from the peer"


def test_datagrams(dante, udp_origin, socksify):
    said = json.loads(run(socksify, dante, program("datagrams", "echo", "127.0.0.1", udp_origin.port, 1, 1000, 8000)))
    assert said == {"same": True, "count": 6, "sources": [True]}


def test_datagrams_of_many(dante, udp_origin, socksify):
    said = json.loads(run(socksify, dante, program("datagrams", "many", "127.0.0.1", udp_origin.port, 20)))
    assert said == {"right": 40, "missing": 0}


def test_listening(dante, socksify):
    address, level, options = dante
    with socksify.popen(address, program("listener", "blocking", 2), level=level, options=(*options, "--bind=1")) as process:
        for _ in range(2):
            announced = json.loads(process.stdout.readline())
            with socket.create_connection((announced["host"], announced["port"]), HANG) as peer:
                own = list(peer.getsockname())
                peer.sendall(payload.octets(100_000))
                peer.shutdown(socket.SHUT_WR)
                back = b""
                while piece := peer.recv(1 << 16):
                    back += piece
            assert back == payload.octets(100_000)
            assert json.loads(process.stdout.readline()) == {"peer": own, "same": True, "octets": 100_000}
        assert process.wait(HANG) == 0 and process.stderr.read() == b""


def test_curl_get(dante, origin, socksify):
    body = run(socksify, dante, ["curl", "-sS", f"http://127.0.0.1:{origin.ports['http']}/random/20000000/dante"])
    assert body == payload.octets(20_000_000, "dante")


def test_curl_upload(dante, origin, socksify):
    data = payload.octets(20_000_000, "up")
    body = run(socksify, dante, ["curl", "-sS", "-T", "-", f"http://127.0.0.1:{origin.ports['http']}/"], input=data)
    assert body.decode().strip() == payload.sha256(20_000_000, "up")


def test_wget(dante, origin, socksify):
    body = run(socksify, dante, ["wget", "-qO-", f"http://127.0.0.1:{origin.ports['http']}/random/3000000/wget"])
    assert body == payload.octets(3_000_000, "wget")


@pytest.mark.parametrize("name, arguments", [("threads", (32, 50_000)), ("async_many", (50, 20_000))])
def test_many_connections(dante, origin, socksify, name, arguments):
    said = json.loads(run(socksify, dante, program(name, "127.0.0.1", origin.ports["echo"], *arguments)))
    assert said["failures"] == []


@pytest.mark.parametrize("mechanism", ["epoll-level", "epoll-edge", "poll", "select"])
def test_nonblocking(dante, origin, socksify, mechanism):
    said = json.loads(run(socksify, dante, program("nonblocking", "127.0.0.1", origin.ports["echo"], mechanism, "after")))
    assert said["connect"] == "EINPROGRESS" and said["intact"], said


def test_half_close_both_ways(dante, origin, socksify):
    said = json.loads(run(socksify, dante, program("half_close", "127.0.0.1", origin.ports["digest"], 100_000)))
    assert said["head"].strip() == said["sent"]
    mark = origin.mark()
    said = json.loads(run(socksify, dante, program("greeter", "127.0.0.1", origin.ports["greeter"], 100_000)))
    origin.await_event("eof", mark, service="greeter", sha256=said["sent"])


def test_wire(dante, origin, socksify):
    address, level, options = dante
    host, port = address.split(":")
    with Tap((host, int(port))) as tap:
        done = socksify.run(tap.address, ["curl", "-sS", f"http://127.0.0.1:{origin.ports['http']}/page"], level=level,
                            options=options)
        assert payload.MARKER in done.stdout, done.stderr
        (connection,) = tap.await_done()
        check_rfc1961(connection, (payload.MARKER,) if level == "confidentiality" else ())
