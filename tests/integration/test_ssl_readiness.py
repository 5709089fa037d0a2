"""Readiness as the kernel would tell it, by the SSL method: the tests of the GSS path, and records that frames cut."""

import json

import pytest

from support import payload
from support.runner import program
from support.servers import KINDS, Tls
from test_readiness import (MECHANISMS, expect_nothing_before_the_deadline, test_nonblocking_connect_and_echo,  # noqa: F401
                            test_target_refused)


@pytest.fixture(params=KINDS)
def server(request, long_lived):
    yield long_lived(request.param, "ssl")
    long_lived(request.param, "ssl")


@pytest.fixture
def faulty(start_server, pki):
    return lambda *faults, **more: start_server("independent", methods="ssl", tls=Tls(pki), faults=faults, **more)


def seven(socksify, server, origin, mechanism, mode, size):
    done = socksify.run(server, program("seven", "origin.test", origin.ports["stream"], mechanism, mode, f"{size} seven"))
    said = json.loads(done.stdout)
    assert not said["stalled"], said
    assert (said["octets"], said["sha256"]) == (size, payload.sha256(size, "seven")), (said, done.stderr)
    return said


@pytest.mark.parametrize("mechanism, mode", [(m, "drain") for m in MECHANISMS]
                         + [(m, "single") for m in MECHANISMS if m != "epoll-edge"])
def test_seven_octets_at_a_time(faulty, origin, socksify, mechanism, mode):
    """From frames of several records: no stall (the whole stream comes) and no spin (a wake-up finds something to read)."""
    size = 500_000 if mode == "drain" else 150_000
    said = seven(socksify, faulty("fill"), origin, mechanism, mode, size)
    assert said["spurious"] <= size // 16_000 + 20, f"spins: {said}"
    if mode == "single":
        assert said["reads"] == said["wakeups"]


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("frame", [1, 7, 1000])
def test_frames_smaller_than_records(faulty, origin, socksify, mechanism, frame):
    """A frame that completes no record gives nothing to read, and one octet of a frame may complete sixteen thousand."""
    seven(socksify, faulty("fill", options=[f"--frame={frame}"]), origin, mechanism, "drain", 50_000)


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("fault", ["key-update", "tickets", "none@data"])
def test_frames_that_carry_no_data(faulty, origin, socksify, mechanism, fault):
    """Tickets, KeyUpdate, LEN 0: nothing to read, no end, no stall."""
    seven(socksify, faulty(fault, "fill", "plaintext=1000"), origin, mechanism, "drain", 50_000)


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("stage", ["choice", "handshake", "options", "reply"])
def test_nothing_is_ready_before_the_reply(faulty, origin, socksify, mechanism, stage):
    expect_nothing_before_the_deadline(faulty(f"stall@{stage}"), origin, socksify, mechanism, stage)
