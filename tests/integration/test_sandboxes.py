"""Programs that leave themselves few system calls (seccomp): their connections go on, new ones work or fail by themselves."""

import subprocess

import pytest

from support.runner import PROGRAMS


@pytest.fixture(scope="module")
def sandboxed(tmp_path_factory):
    program = tmp_path_factory.mktemp("sandboxed") / "sandboxed"
    subprocess.run(["cc", "-o", program, PROGRAMS / "sandboxed.c"], check=True)
    return program


@pytest.mark.parametrize("level", ["integrity", "confidentiality"])
@pytest.mark.parametrize("action", ["kill", "errno"])
def test_connected_before(action, level, sandboxed, server, origin, socksify):
    done = socksify.run(server, [sandboxed, "after", action, server.target, origin.ports["echo"]], level=level)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"echoed ended", "")


@pytest.mark.parametrize("action", ["kill", "errno"])
def test_connected_before_by_ssl(action, sandboxed, long_lived, origin, socksify):
    server = long_lived("socksd-gss", "ssl")
    done = socksify.run(server, [sandboxed, "after", action, server.target, origin.ports["echo"]])
    assert (done.returncode, done.stdout, done.stderr) == (0, b"echoed ended", "")


def test_connecting_inside_fails_closed(sandboxed, independent, origin, socksify):
    """The ticket cannot be read in there, nor a thread be made: an errno and a reason, never a direct connection."""
    with origin.untouched("echo"):
        done = socksify.run(independent, [sandboxed, "before", "errno", "127.0.0.1", origin.ports["echo"]], timeout=60)
    assert done.returncode == 0 and done.stdout in (b"EACCES", b"ECONNREFUSED", b"ENETUNREACH"), done
    done = socksify.run(independent, [sandboxed, "before", "kill", "127.0.0.1", origin.ports["echo"]], timeout=60)
    assert done.returncode == -31, done  # SIGSYS
