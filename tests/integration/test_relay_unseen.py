"""The relay process of a detached session: the terminal's signals do not reach it, and no wait() of the application meets it."""

import json
import os
import pty
import signal
import subprocess
import time

import pytest

from support import namespace
from support.process import HANG
from support.runner import program


def of_server(server):
    return len(os.listdir(f"/proc/{server.pid}/fd"))


def told(process):
    line = process.stdout.readline()
    assert line, process.stderr.read()
    return json.loads(line)


def await_end_of_sessions(server, before):
    """A relay ends with its session, of which the server knows."""
    deadline = time.monotonic() + HANG
    while of_server(server) > before:
        assert time.monotonic() < deadline, "the session is left"
        time.sleep(0.02)


@pytest.mark.parametrize("how", ["plain", "subreaper", "first"])
def test_no_child_of_the_application(how, start_server, origin, socksify):
    server = start_server("socksd-gss")
    argv = program("unseen", "subreaper" if how == "subreaper" else "plain", "127.0.0.1", origin.ports["echo"])
    if how == "first":
        if not namespace.available():
            pytest.skip("no namespaces here")
        socksify.enter = lambda command: ["unshare", "--user", "--map-root-user", "--pid", "--fork", *command]
    before = of_server(server)
    with socksify.popen(server, argv, stdin=subprocess.PIPE) as process:
        assert told(process) == {"error": 0, "echoed": True, "children": [], "told": []}
        await_end_of_sessions(server, before + 2)
        process.stdin.write(b"\n")
        process.stdin.close()
        assert told(process) == {"children": [], "told": []}
        assert process.wait(HANG) == 0, process.stderr.read()


def test_no_descriptor_is_left(start_server, origin, socksify):
    """Refused, and the connection goes on; nothing hangs."""
    server = start_server("socksd-gss")
    argv = program("unseen", "full", "127.0.0.1", origin.ports["echo"])
    done = socksify.run(server, argv)
    first = json.loads(done.stdout.splitlines()[0])
    assert done.returncode == 0 and first["echoed"] and first["children"] == [], done


@pytest.mark.parametrize("how", ["interrupt", "hangup", "kill"])
def test_signals_of_the_terminal(how, start_server, origin, socksify):
    """Ctrl-C, the end of the terminal, SIGKILL to the process group: another program's session goes on."""
    server = start_server("socksd-gss")
    master, slave = pty.openpty()
    order, echo = os.pipe(), os.pipe()
    argv = program("unseen", "keep", "127.0.0.1", origin.ports["echo"], order[0], echo[1])
    process = socksify.popen(server, ["setsid", "--ctty", *argv], stdin=slave, pass_fds=[order[0], echo[1]])
    for fd in (slave, order[0], echo[1]):
        os.close(fd)
    assert told(process) == {"ready": True}
    if how == "interrupt":
        os.write(master, b"\x03")
    elif how == "hangup":
        os.close(master)
    else:
        os.killpg(process.pid, signal.SIGKILL)
    assert process.wait(HANG) < 0
    os.write(order[1], b"still here\n")
    os.close(order[1])
    with os.fdopen(echo[0], "rb") as answer:
        assert answer.read() == b"still here\n"
    if how != "hangup":
        os.close(master)
    process.stdout.close()
    process.stderr.close()
