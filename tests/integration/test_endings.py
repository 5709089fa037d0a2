"""However a program ends its connections, the other end sees it as it does without socksify-gss: EOF, or a reset.

A process that a signal has ended says nothing more by SSL, whose peer cannot tell that from a cut: that is a reset."""

import ast
import socket
import subprocess

import pytest

from support.process import HANG
from support.relay import read_to_end
from support.runner import PROGRAMS, program
from support.servers import Tls, base_env

TREE = ast.parse((PROGRAMS / "endings.py").read_text())
WAYS = next([key.value for key in node.value.keys] for node in TREE.body
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "WAYS")
CUT = ("killed", "a child is killed")


@pytest.fixture
def target():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(HANG)
        yield listener


def seen(process, target):
    with process, target.accept()[0] as end:
        end.settimeout(HANG)
        assert process.stdout.readline() == b"sent\n", process.stderr.read()
        process.stdin.close()
        outcome = read_to_end(end)
        end.close()
        process.stdin = None
        _, errors = process.communicate(timeout=HANG)
        assert b"socksify-gss:" not in errors
        return outcome


@pytest.mark.parametrize("method", ["gssapi", "ssl"])
@pytest.mark.parametrize("way", WAYS)
def test_the_other_end_sees_the_same(method, way, long_lived, socksify, target):
    argv = program("endings", *target.getsockname(), way)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    direct = seen(subprocess.Popen(argv, env=base_env({}), **pipes), target)
    wrapped = seen(socksify.popen(long_lived("socksd-gss", method), argv, **pipes), target)
    if method == "ssl" and way in CUT:
        direct = (direct[0], "ECONNRESET")
    assert wrapped == direct


@pytest.fixture(scope="module")
def ending_slowly(tmp_path_factory):
    """argv of it, up to the host."""
    directory = tmp_path_factory.mktemp("ending")
    for name, flags in {"program": ["-pthread"], "library": ["-DLIBRARY", "-shared", "-fPIC"]}.items():
        subprocess.run(["cc", *flags, "-o", directory / name, PROGRAMS / "ending_slowly.c"], check=True)
    return lambda host, port, how: [directory / "program", host, port, directory / "library", how]


@pytest.mark.parametrize("faults, how, told", [([], "watches", ""), (["no-notify"], "watches", ""), (["no-notify"], "joins", "0 \n")],
                         ids=["in order", "cut", "cut and joined"])
def test_threads_of_a_process_that_ends(faults, how, told, start_server, pki, socksify, ending_slowly, target):
    """By SSL the peer is told, and answers. A thread in recv learns nothing of that, but where the process waits for it."""
    server = start_server("independent", methods="ssl", tls=Tls(pki), faults=faults)
    with socksify.popen(server, ending_slowly(*target.getsockname(), how)) as process, target.accept()[0] as end:
        end.settimeout(HANG)
        assert read_to_end(end) == (b"", "EOF")
        end.close()
        out, errors = process.communicate(timeout=HANG)
    assert (process.returncode, out.decode(), errors) == (0, told, b"")
