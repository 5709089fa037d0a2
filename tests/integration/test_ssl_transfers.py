"""Bulk by the SSL method: the transfers of the GSS path again, and whatever the frames and records are cut into."""

import json

import pytest

from support import payload
from support.runner import program
from support.servers import KINDS, Tls
from test_transfers import (big_file, hashed, test_curl_upload_chunked, test_fifty_connections_of_one_process,  # noqa: F401
                            test_fifty_processes_at_once, test_half_close_by_the_program, test_half_close_by_the_target,
                            test_ipv6_and_address_calls, url)

SIZE = 100_000_000


@pytest.fixture(params=KINDS)
def server(request, long_lived):
    yield long_lived(request.param, "ssl")
    long_lived(request.param, "ssl")


def test_curl_get(server, origin, socksify):
    process = socksify.popen(server, ["curl", "-sS", url(server, origin, f"random/{SIZE}")])
    assert hashed(process) == (payload.sha256(SIZE), SIZE)


def test_curl_upload(server, origin, socksify, big_file):  # noqa: F811
    done = socksify.run(server, ["curl", "-sS", "-T", big_file, url(server, origin, "upload")])
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.decode().strip() == payload.sha256(SIZE, "upload")


def test_both_directions_at_once(server, origin, socksify):
    done = socksify.run(server, program("two_ways", server.target, origin.ports["echo"], 10_000_000))
    said = json.loads(done.stdout)
    assert said["end"] == "EOF" and said["octets"] == 10_000_000 and said["sha256"] == said["sent"], said


@pytest.fixture
def cutting(start_server, pki):
    def start(version, frame):
        return start_server("independent", methods="ssl", tls=Tls(pki),
                            options=["--tls-version", version, f"--frame={frame}"])

    return start


@pytest.mark.parametrize("frame", [1, 7, 65535])
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_frames_of_any_size(cutting, origin, socksify, version, frame):
    """The server cuts everything, the handshake too, into frames of so many octets; ours are as they are."""
    size = 60_000 if frame == 1 else 2_000_000
    server = cutting(version, frame)
    done = socksify.run(server, program("two_ways", server.target, origin.ports["echo"], size))
    said = json.loads(done.stdout)
    assert said["end"] == "EOF" and said["octets"] == size and said["sha256"] == said["sent"], (said, done.stderr)
    done = socksify.run(server, program("half_close", server.target, origin.ports["digest"], size))
    said = json.loads(done.stdout)
    assert said["head"].strip() == said["sent"], (said, done.stderr)


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("kind", KINDS)
def test_versions(start_server, origin, socksify, pki, kind, version):
    server = start_server(kind, methods="ssl", tls=Tls(pki))
    options = ["--tls-priority", f"NORMAL:-VERS-ALL:+VERS-TLS{version}"]
    done = socksify.run(server, program("two_ways", server.target, origin.ports["echo"], 2_000_000), options=options)
    said = json.loads(done.stdout)
    assert said["end"] == "EOF" and said["sha256"] == said["sent"], (said, done.stderr)
    if kind == "independent":
        assert server.await_event("tls")["version"] == f"TLSv{version}"


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_resumption(cutting, origin, socksify, version):
    """Connections of one program resume its session; those of another begin anew."""
    server = cutting(version, 65535)
    for _ in range(2):
        mark = server.mark()
        done = socksify.run(server, program("one_after_another", server.target, origin.ports["echo"], 20, 5000))
        assert json.loads(done.stdout) == {"good": 20}, done.stderr
        assert [event["resumed"] for event in server.since(mark, "tls")] == [False] + [True] * 19


def test_many_at_once_with_resumption(server, origin, socksify):
    """Whoever resumes what: two hundred connections from threads, each with octets of its own."""
    done = socksify.run(server, program("threads", server.target, origin.ports["echo"], 200, 20_000), timeout=300)
    assert json.loads(done.stdout) == {"failures": []}, done.stderr
    assert done.stderr == ""
