"""No call writes beside the session: it is wrapped, or refused, and the tap sees frames alone."""

import json

import pytest

from support.runner import program
from support.tap import Tap, check_rfc1961

MARKER = b"PLAINTEXT-MARKER"
REFUSED = "Operation not supported"
ECHOED = MARKER.decode()
WAYS = {
    "standard_output": ECHOED,
    "stdio": ECHOED,
    "asynchronous": ECHOED,
    "splice": ECHOED,
    "spawned": ECHOED,
    "forked": ECHOED,
    "passed": ECHOED,
    "connected_elsewhere": "Input/output error",
    "kernel_aio": ECHOED,
    "ring": "Function not implemented",
    "remote_shell": "Permission denied",
    "by_number": [len(MARKER), MARKER.decode()],
    "datagram": len(MARKER),
    "fast_open": REFUSED,
    "closing": "closed",
}


@pytest.mark.parametrize("way", WAYS)
def test_way(way, long_lived, origin, socksify):
    server = long_lived("socksd-gss")
    with Tap((server.host, server.port)) as tap:
        done = socksify.run(tap.address, program("ways_past", way, "127.0.0.1", origin.ports["echo"]))
        assert done.returncode == 0, done.stderr
        said = json.loads(done.stdout)
        assert said == WAYS[way], done.stderr
        for connection in tap.await_done():
            check_rfc1961(connection, (MARKER,))


def test_no_datagram_past_a_refusal(long_lived, udp_origin, socksify):
    done = socksify.run(long_lived("socksd-gss"), program("ways_past", "messages_in_part", "127.0.0.1", udp_origin.port),
                        env={"SOCKSIFY_UDP": "block"})
    assert json.loads(done.stdout) == "Permission denied", done.stderr


def test_the_next_server_is_tried(long_lived, origin, socksify):
    """The first is down, the second answers: on the same socket, blocking or not."""
    server = long_lived("socksd-gss")
    servers = f"localhost:1,{server.address}"
    for argv in (["curl", "-sS", f"http://127.0.0.1:{origin.ports['http']}/page"],
                 program("ways_past", "by_number", "127.0.0.1", origin.ports["echo"])):
        done = socksify.run(servers, argv)
        assert done.returncode == 0, done.stderr
        assert done.stdout and not done.stderr
