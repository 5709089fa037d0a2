"""ssh and what goes over it."""

import contextlib

import pytest

from origins import BLOB, BLOB_SHA256
from support import payload
from support.process import await_port, stop


@pytest.mark.both_levels
def test_ssh(wrapped, sshd):
    assert wrapped.run([*sshd.ssh, sshd.login, "cat"], input=BLOB).stdout == BLOB
    wrapped.run([*sshd.ssh, sshd.login, "exit 42"], status=42)


def test_scp(wrapped, sshd, blob, tmp_path):
    scp = ["scp", "-q", *sshd.options, "-P", str(sshd.port)]
    wrapped.run([*scp, blob, f"{sshd.login}:{tmp_path}/there"])
    assert (tmp_path / "there").read_bytes() == BLOB
    wrapped.run([*scp, f"{sshd.login}:{tmp_path}/there", tmp_path / "back"])
    assert (tmp_path / "back").read_bytes() == BLOB


def test_sftp(wrapped, sshd, blob, tmp_path):
    batch = tmp_path / "batch"
    batch.write_text(f"put {blob} {tmp_path}/there\nget {tmp_path}/there {tmp_path}/back\n")
    wrapped.run(["sftp", "-q", *sshd.options, "-P", str(sshd.port), "-b", batch, sshd.login])
    assert (tmp_path / "there").read_bytes() == (tmp_path / "back").read_bytes() == BLOB


def test_rsync_over_ssh(wrapped, sshd, blob, tmp_path):
    rsync = ["rsync", "-a", "-e", sshd.command]
    wrapped.run([*rsync, blob, f"{sshd.login}:{tmp_path}/there"])
    assert (tmp_path / "there").read_bytes() == BLOB
    wrapped.run([*rsync, f"{sshd.login}:{tmp_path}/there", tmp_path / "back"])
    assert (tmp_path / "back").read_bytes() == BLOB


@contextlib.contextmanager
def forwarding(wrapped, sshd, port, *forward):
    process = wrapped.popen([*sshd.ssh, "-N", "-o", "ExitOnForwardFailure=yes", *forward, sshd.login])
    try:
        await_port("127.0.0.1", port, process, probe=wrapped.world.prober("client"))
        yield
    finally:
        stop(process)


CURL = ["curl", "-sS", "--fail"]


def test_ssh_local_forwarding(wrapped, sshd, world, http, blob):
    port = world.port()
    with forwarding(wrapped, sshd, port, "-L", f"127.0.0.1:{port}:{world.origin_address}:{http.port}"):
        base = f"http://127.0.0.1:{port}"
        assert wrapped.direct([*CURL, f"{base}/random/1000000/L"]).stdout == payload.octets(1_000_000, "L")
        assert wrapped.direct([*CURL, "-T", blob, f"{base}/upload"]).stdout.decode().strip() == BLOB_SHA256


def test_ssh_dynamic_forwarding(wrapped, sshd, world, http, tmp_path):
    port = world.port()
    with forwarding(wrapped, sshd, port, "-D", f"127.0.0.1:{port}"):
        url = f"http://{world.origin_address}:{http.port}/random/100000/[1-10]"
        wrapped.direct([*CURL, "-Z", "--socks5-hostname", f"127.0.0.1:{port}", "-o", tmp_path / "#1", url])
    for number in range(1, 11):
        assert (tmp_path / str(number)).read_bytes() == payload.octets(100_000, number)
