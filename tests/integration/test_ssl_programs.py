"""Everyday programs by the SSL method (issue 4, done when 3): those of the GSS path again, and node and rsync."""

import json
import shutil

import pytest

from support import payload
from support.runner import PROGRAMS
from support.servers import KINDS
from test_programs import *  # noqa: F401,F403
from test_programs import succeed


@pytest.fixture(params=KINDS)
def server(request, long_lived):
    yield long_lived(request.param, "ssl")
    long_lived(request.param, "ssl")


@pytest.mark.skipif(not shutil.which("node"), reason="no node")
def test_node(server, origin, socksify):
    done = succeed(socksify.run(server, ["node", PROGRAMS / "many.mjs", server.target, origin.ports["echo"], 50, 100_000]))
    assert json.loads(done.stdout) == {"good": 50, "failures": []}
    base = f"http://{server.target}:{origin.ports['http']}"
    transfer = ["node", PROGRAMS / "transfer.mjs", "http", f"{base}/random/3000000/node", f"{base}/upload"]
    done = succeed(socksify.run(server, transfer))
    said = json.loads(done.stdout)
    assert said["sha256"] == said["uploaded"] == payload.sha256(3_000_000, "node")


@pytest.mark.skipif(not shutil.which("rsync"), reason="no rsync")
def test_rsync(server, sshd, socksify, tmp_path):  # noqa: F811
    """Over ssh, which is executed by rsync."""
    (tmp_path / "here").mkdir()
    for name in "abc":
        payload.write_file(tmp_path / "here" / name, 1_000_000, name)
    rsync = ["rsync", "-a", "-e", " ".join(["ssh", "-p", str(sshd.port), *sshd.options])]
    remote = f"{sshd.user}@{server.target}:{tmp_path}/there/"
    succeed(socksify.run(server, [*rsync, f"{tmp_path}/here/", remote]))
    succeed(socksify.run(server, [*rsync, remote, f"{tmp_path}/back/"]))
    for name in "abc":
        assert (tmp_path / "back" / name).read_bytes() == payload.octets(1_000_000, name)
