"""Bulk through both servers at both levels, byte for byte: curl and wget, up and down, alone and fifty at once."""

import hashlib
import json

import pytest

from support import payload
from support.runner import program

SIZE = 100_000_000
LEVELS = ("integrity", "confidentiality")


def url(server, origin, path):
    return f"http://{server.target}:{origin.ports['http']}/{path}"


def hashed(process):
    """SHA-256 and size of a program's stdout, as it comes."""
    digest, octets = hashlib.sha256(), 0
    with process:
        while piece := process.stdout.read(1 << 20):
            digest.update(piece)
            octets += len(piece)
        error = process.stderr.read().decode()
    assert process.returncode == 0, error
    assert error == "", "silent when all is well"
    return digest.hexdigest(), octets


@pytest.fixture(scope="session")
def big_file(tmp_path_factory):
    return payload.write_file(tmp_path_factory.mktemp("upload") / "big", SIZE, "upload")


@pytest.mark.parametrize("level", LEVELS)
def test_curl_get(server, origin, socksify, level):
    process = socksify.popen(server, ["curl", "-sS", url(server, origin, f"random/{SIZE}")], level=level)
    assert hashed(process) == (payload.sha256(SIZE), SIZE)


@pytest.mark.parametrize("level", LEVELS)
def test_curl_upload(server, origin, socksify, big_file, level):
    done = socksify.run(server, ["curl", "-sS", "-T", big_file, url(server, origin, "upload")], level=level)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.decode().strip() == payload.sha256(SIZE, "upload")


def test_curl_upload_chunked(server, origin, socksify):
    data = payload.octets(3_000_000, "chunked")
    done = socksify.run(server, ["curl", "-sS", "-T", "-", url(server, origin, "upload")], input=data)
    assert done.stdout.decode().strip() == hashlib.sha256(data).hexdigest(), done.stderr


@pytest.mark.parametrize("level", LEVELS)
def test_wget(server, origin, socksify, level):
    process = socksify.popen(server, ["wget", "-q", "-O", "-", url(server, origin, "random/10000000/wget")], level=level)
    assert hashed(process) == (payload.sha256(10_000_000, "wget"), 10_000_000)


def test_fifty_processes_at_once(server, origin, socksify, tmp_path):
    size = 1_000_000
    lines = "".join(f"{url(server, origin, f'random/{size}/p{n}')} {tmp_path}/{n}\n" for n in range(50))
    done = socksify.run(server, ["xargs", "-P", "50", "-n", "2", "sh", "-c", 'exec curl -sS -o "$1" "$0"'],
                        input=lines.encode())
    assert (done.returncode, done.stderr) == (0, "")
    for n in range(50):
        assert (tmp_path / str(n)).read_bytes() == payload.octets(size, f"p{n}"), n


def test_fifty_connections_of_one_process(server, origin, socksify, tmp_path):
    """curl -Z: one event loop, non-blocking connects."""
    size = 500_000
    config = "".join(f'url = "{url(server, origin, f"random/{size}/z{n}")}"\noutput = "{tmp_path}/{n}"\n'
                     for n in range(50))
    done = socksify.run(server, ["curl", "-sS", "--no-progress-meter", "--parallel", "--parallel-immediate", "--parallel-max", "50",
                                 "--config", "-"], input=config.encode())
    assert (done.returncode, done.stderr) == (0, "")
    for n in range(50):
        assert (tmp_path / str(n)).read_bytes() == payload.octets(size, f"z{n}"), n


@pytest.mark.parametrize("level", LEVELS)
def test_both_directions_at_once(server, origin, socksify, level):
    done = socksify.run(server, program("two_ways", server.target, origin.ports["echo"], 10_000_000), level=level)
    said = json.loads(done.stdout)
    assert said["end"] == "EOF" and said["octets"] == 10_000_000 and said["sha256"] == said["sent"], said


def test_half_close_by_the_program(server, origin, socksify):
    done = socksify.run(server, program("half_close", server.target, origin.ports["digest"], 300_000))
    said = json.loads(done.stdout)
    assert said["head"].strip() == said["sent"], (said, done.stderr)


def test_half_close_by_the_target(server, origin, socksify):
    mark = origin.mark()
    done = socksify.run(server, program("greeter", server.target, origin.ports["greeter"], 300_000))
    said = json.loads(done.stdout)
    assert said["end"] == "EOF" and said["octets"] > 100_000, said
    origin.await_event("eof", mark, service="greeter", sha256=said["sent"])


def test_ipv6_and_address_calls(server, origin, socksify):
    """getpeername answers the target the program asked for, over IPv6, v4-mapped and IPv4."""
    if "echo6" not in origin.ports:
        pytest.skip("no IPv6 loopback")
    for host, port in (("127.0.0.1", origin.ports["echo"]), ("::1", origin.ports["echo6"]),
                       ("::ffff:127.0.0.1", origin.ports["echo"]), (server.target, origin.ports["echo"])):
        said = json.loads(socksify.run(server, program("connect", host, port)).stdout)
        assert said["error"] is None and said["peer"] == said["expected"], said
