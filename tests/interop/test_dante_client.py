"""Dante's client library with our servers, if it has been built beside the sockd that DANTED names: datagrams, at each level."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from support.runner import program
from support.servers import base_env

DANTED = os.environ.get("DANTED", "")
LIBRARY = Path(DANTED).resolve().parents[1] / "dlib" / ".libs" / "libdsocks.so" if DANTED else None
pytestmark = pytest.mark.skipif(not LIBRARY or not LIBRARY.exists(), reason="no client library of Dante's beside DANTED")

CONFIG = """\
resolveprotocol: fake
route {{ from: 0.0.0.0/0 to: 127.0.0.1/32 port = {kdc} via: direct }}
route {{
    from: 0.0.0.0/0 to: 0.0.0.0/0 via: {host} port = {port}
    proxyprotocol: socks_v5
    protocol: tcp udp
    command: connect udpassociate
    method: gssapi
    gssapi.servicename: socks
    gssapi.enctype: {level}
}}
"""


@pytest.fixture(params=["integrity", "confidentiality"])
def socksified(request, server, realm, tmp_path):
    """Runs a program under Dante's library; its output as JSON."""
    (tmp_path / "socks.conf").write_text(
        CONFIG.format(kdc=realm.port, host=server.host, port=server.port, level=request.param))

    def run(argv):
        env = base_env(realm.env) | {"LD_PRELOAD": str(LIBRARY), "SOCKS_CONF": str(tmp_path / "socks.conf")}
        done = subprocess.run(argv, env=env, capture_output=True, timeout=60, stdin=subprocess.DEVNULL, check=False)
        assert done.returncode == 0, (done.stdout, done.stderr)
        return json.loads(done.stdout)

    return run


def test_datagrams(socksified, server, udp_origin):
    """By name: what is on loopback that library connects to directly."""
    said = socksified(program("datagrams", "echo", server.target, udp_origin.port, 1, 1000, 8000))
    assert said["same"]


def test_one_answer(socksified, server, udp_origin):
    mark = server.mark()
    assert socksified(program("datagrams", "attempt", server.target, udp_origin.port, "hello"))["answer"] == "hello"
    if server.kind == "independent":
        server.await_event("up", mark, octets=5)
        assert not server.since(mark, "dropped")
