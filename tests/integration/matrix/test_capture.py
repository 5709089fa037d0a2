"""The capture that the matrix relies on does see what goes elsewhere, and the namespace lets nothing arrive."""

import subprocess

import pytest

from support import payload
from support.servers import PYTHON
from support.world import NAMESERVER, ORIGIN_ADDRESS, PROXY_ADDRESS

SENDERS = {
    "tcp": f"socket.create_connection(('{ORIGIN_ADDRESS}', 80), 0.1)",
    "tcp to another port of the server": f"socket.create_connection(('{PROXY_ADDRESS}', 81), 0.1)",
    "udp": f"socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('{ORIGIN_ADDRESS}', 80))",
    "ipv6": "socket.create_connection(('fd99:0:0:1::2', 80), 0.1)",
    "icmp": "socket.socket(type=socket.SOCK_RAW, proto=1)"
            f".sendto(bytes([8, 0, 247, 255, 0, 0, 0, 0]), ('{ORIGIN_ADDRESS}', 0))",
    "dns": "socket.gethostbyname('www.test.example')",
}
SEEN = {
    "tcp": f"-> {ORIGIN_ADDRESS}:80", "tcp to another port of the server": f"-> {PROXY_ADDRESS}:81",
    "udp": f"-> {ORIGIN_ADDRESS}:80", "ipv6": "-> fd99:0:0:1::2:80", "icmp": f"-> {ORIGIN_ADDRESS}",
    "dns": f"-> {NAMESERVER}:53",
}


DATAGRAMS = {"sealed": b"\1\3\0\5hello", "clear": b"hello", "plaintext": payload.MARKER}


@pytest.mark.parametrize("kind", DATAGRAMS)
def test_the_capture_knows_datagrams(world, edge, kind):
    """Those to the server, by what is in them; a length that is not the rest is in clear too."""
    if edge is None:
        pytest.skip(f"no network namespaces here: {world.reason}")
    edge.seen()
    send = f"import socket; socket.socket(type=socket.SOCK_DGRAM).sendto({DATAGRAMS[kind]!r}, ('{PROXY_ADDRESS}', 9))"
    subprocess.run(world.administer["client"]([PYTHON, "-c", send]), check=True, stdin=subprocess.DEVNULL, timeout=60)
    seen = edge.seen()
    assert seen["datagrams"] == {kind: 1}, seen


@pytest.mark.parametrize("kind", SENDERS)
def test_the_capture_sees(world, edge, kind):
    if edge is None:
        pytest.skip(f"no network namespaces here: {world.reason}")
    edge.seen()
    subprocess.run(world.administer["client"]([PYTHON, "-c", f"import socket; {SENDERS[kind]}"]), check=False,
                   stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, timeout=60)
    assert any(other.endswith(SEEN[kind]) for other in edge.seen()["others"])
