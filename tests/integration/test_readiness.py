"""Readiness as the kernel would tell it: connects that do not block, and polls that neither stall nor spin (done when 5)."""

import contextlib
import json
import socket
import time

import pytest

from support import payload
from support.process import free_port
from support.runner import program

MECHANISMS = ("epoll-level", "epoll-edge", "poll", "select")


def expect_nothing_before_the_deadline(server, origin, socksify, mechanism, stage=None, env=None, errors=("ETIMEDOUT",)):
    """The TCP socket is writable long before the handshake is done; the program must not see that. Then the deadline.

    Again with a later one if it may have passed before the program had looked."""
    for timeout in (3, 15, 60):
        mark, began = server.mark(), time.monotonic()
        with socksify.popen(server, program("pending", "origin.test", origin.ports["echo"], mechanism),
                            env=(env or {}) | {"SOCKSIFY_TIMEOUT": str(timeout)}, stdin=-1) as process:
            assert json.loads(process.stdout.readline())["connect"] == "EINPROGRESS"
            if stage is not None:
                with contextlib.suppress(TimeoutError):
                    server.await_event("stalled", mark, timeout=timeout, stage=stage)
            process.stdin.write(b"look\n")
            process.stdin.flush()
            looked = json.loads(process.stdout.readline())
            if time.monotonic() - began >= timeout:
                process.kill()
                continue
            process.stdin.write(b"wait\n")
            process.stdin.close()
            said = json.loads(process.stdout.readline())
            error = process.stderr.read().decode()
        break
    else:
        raise AssertionError(f"not stalled, or looked at, within {timeout} s")
    assert looked == {kind: [] for kind in MECHANISMS}, looked
    assert said["so_error"] in errors and said["again"] is None, (said, error)
    assert said["events"], said
    assert len(error.splitlines()) == 1, error


@pytest.mark.parametrize("order", ["before", "after"])
@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_nonblocking_connect_and_echo(server, origin, socksify, mechanism, order):
    """EINPROGRESS, then writable and nothing else, SO_ERROR 0, the target as peer, the echo intact."""
    done = socksify.run(server, program("nonblocking", server.target, origin.ports["echo"], mechanism, order))
    said = json.loads(done.stdout)
    assert said["connect"] == "EINPROGRESS", said
    assert said["first"] == ["write"] and said["so_error"] is None, said
    assert said["peer"] == said["expected"] and said["intact"], (said, done.stderr)
    assert said["idle"] <= 8, f"spins: {said}"


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_target_refused(server, socksify, mechanism):
    """The kernel's own answer to a refused connect is the oracle: same events, same SO_ERROR, read once."""
    argv = program("nonblocking", "127.0.0.1", free_port(), mechanism, "after")
    ours = json.loads(socksify.run(server, argv).stdout)
    direct = json.loads(socksify.run(server, argv, env={"SOCKSIFY_BYPASS": "127.0.0.0/8"}).stdout)
    assert ours["so_error"] == direct["so_error"] == "ECONNREFUSED"
    assert ours["first"] == direct["first"]


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("stage", ["choice", "context", "reply"])
def test_nothing_is_ready_before_the_reply(start_server, origin, socksify, mechanism, stage):
    expect_nothing_before_the_deadline(start_server("independent", faults=[f"stall@{stage}"]), origin, socksify, mechanism,
                                       stage)


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_connect_returns_at_once_while_the_kdc_is_unreachable(independent, origin, realm, socksify, mechanism):
    with origin.untouched("echo"):
        expect_nothing_before_the_deadline(independent, origin, socksify, mechanism, env=realm.unreachable_env(),
                                           errors=("ETIMEDOUT", "EACCES"))


def test_server_down(origin, socksify):
    with origin.untouched("echo"):
        done = socksify.run(f"127.0.0.1:{free_port()}",
                            program("nonblocking", "127.0.0.1", origin.ports["echo"], "poll", "after"))
    said = json.loads(done.stdout)
    assert said["so_error"] == "ECONNREFUSED" or said["connect"] == "ECONNREFUSED", said


@pytest.mark.parametrize("mechanism, mode", [(m, "drain") for m in MECHANISMS]
                         + [(m, "single") for m in MECHANISMS if m != "epoll-edge"])
def test_seven_octets_at_a_time(start_server, origin, socksify, mechanism, mode):
    """From frames of 64 KB: no stall (the whole stream comes) and no spin (a wake-up finds something to read)."""
    server = start_server("independent", faults=["fill"])
    size = 500_000 if mode == "drain" else 150_000
    done = socksify.run(server, program("seven", "origin.test", origin.ports["stream"], mechanism, mode, f"{size} seven"))
    said = json.loads(done.stdout)
    assert not said["stalled"], said
    assert (said["octets"], said["sha256"]) == (size, payload.sha256(size, "seven")), said
    frames = size // 65_000 + 2
    assert said["spurious"] <= frames, f"spins: {said}"
    assert said["refused"] <= said["wakeups"], said
    if mode == "single":
        assert said["reads"] == said["wakeups"]


@pytest.mark.parametrize("mechanism", ["epoll-level", "epoll-edge"])
def test_seven_octets_from_tiny_frames(start_server, origin, socksify, mechanism):
    """Frames of five octets: reads cross frame boundaries all the time."""
    server = start_server("independent", faults=["plaintext=5", "fill"])
    done = socksify.run(server, program("seven", "origin.test", origin.ports["stream"], mechanism, "drain", "50000 tiny"))
    said = json.loads(done.stdout)
    assert not said["stalled"] and said["sha256"] == payload.sha256(50_000, "tiny"), said


def test_frame_that_comes_by_the_octet_wakes_nobody(start_server, origin, socksify):
    """Every write of the server is one octet: a reader is woken when a frame is whole, not once per octet."""
    server = start_server("independent", faults=["split", "fill", "plaintext=1000"])
    done = socksify.run(server, program("seven", "origin.test", origin.ports["stream"], "epoll-level", "drain", "20000 split"))
    said = json.loads(done.stdout)
    assert said["sha256"] == payload.sha256(20_000, "split"), said
    assert said["spurious"] <= 40, f"woken for parts of frames: {said}"  # 20 frames of 1064 octets each


def test_many_silent_servers_block_nobody(origin, socksify):
    """Two hundred pending handshakes in one asyncio program, all ended by the deadline."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as silent, origin.untouched("echo"):
        done = socksify.run(f"127.0.0.1:{silent.getsockname()[1]}",
                            program("async_many", "127.0.0.1", origin.ports["echo"], 200, 10), env={"SOCKSIFY_TIMEOUT": "3"})
        said = json.loads(done.stdout)
        assert said["good"] == 0 and said["failures"], said
