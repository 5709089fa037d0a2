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


def test_what_comes_after_an_exec_that_fails(long_lived, socksify, target):
    """By SSL the peer has been told of the end, which cannot be taken back; another program still gets what it sends."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    argv = program("endings", *target.getsockname(), "exec of nonsense, then a program reads")
    with socksify.popen(long_lived("socksd-gss", "ssl"), argv, **pipes) as process, target.accept()[0] as end:
        end.settimeout(HANG)
        process.stdin.close()
        assert read_to_end(end) == (b"data", "EOF")
        end.sendall(b"late")
        end.close()
        process.stdin = None
        assert process.communicate(timeout=HANG) == (b"sent\nlate", b"")


@pytest.fixture(scope="module")
def ending_slowly(tmp_path_factory):
    """argv of it, up to the host."""
    directory = tmp_path_factory.mktemp("ending")
    for name, flags in {"program": ["-pthread"], "library": ["-DLIBRARY", "-shared", "-fPIC"]}.items():
        subprocess.run(["cc", *flags, "-o", directory / name, PROGRAMS / "ending_slowly.c"], check=True)
    return lambda host, port, *how: [directory / "program", host, port, directory / "library", *how]


@pytest.mark.parametrize("what, how, faults, told", [
    ("receives", "watches", [], ""), ("receives", "watches", ["no-notify"], ""),
    ("receives", "joins", ["no-notify"], "0 \n"), ("sends", "joins", [], "-1 EPIPE\n")])
def test_threads_of_a_process_that_ends(what, how, faults, told, start_server, pki, socksify, ending_slowly, target):
    """By SSL the peer is told, and answers. The threads learn nothing of that, but where the process waits for them."""
    server = start_server("independent", methods="ssl", tls=Tls(pki), faults=faults)
    with socksify.popen(server, ending_slowly(*target.getsockname(), what, how)) as process, target.accept()[0] as end:
        end.settimeout(HANG)
        octets, outcome = read_to_end(end)
        assert (set(octets), outcome) == (set(b"x" * (what == "sends")), "EOF")
        end.close()
        out, errors = process.communicate(timeout=HANG)
    assert (process.returncode, out.decode(), errors) == (0, told, b"")
