"""The agent beside an application: what happens without it, and when it goes."""

import contextlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from support.process import HANG
from support.runner import program
from support.servers import built


def told(process):
    line = process.stdout.readline()
    assert line, process.stderr.read()
    return json.loads(line)


def agents_of(build):
    """Pids of the agents that run from that directory."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/exe"):
        try:
            if os.readlink(entry) == str(build / "socksify-gss-agent"):
                found.append(int(entry.parent.name))
        except OSError:
            continue
    return found


@contextlib.contextmanager
def stopped(pid):
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def copy_of_the_build(directory, *, agent):
    for name in ("socksify-gss", "libsocksify-gss.so", "libsocksify-gss-core.so", "socksify-gss-relay"):
        shutil.copy(built(name), directory / name)
    if agent:
        shutil.copy(built("socksify-gss-agent"), directory / "socksify-gss-agent")
    return directory


def start(build, socksify, server, argv, env=None, **more):
    return subprocess.Popen([str(build / "socksify-gss"), "--", *argv], env=socksify.env(server) | (env or {}), stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)


def test_without_an_agent(long_lived, udp_origin, socksify, tmp_path):
    """EACCES, one line, and nothing direct."""
    build = copy_of_the_build(tmp_path, agent=False)
    argv = program("associated", "errors", "127.0.0.1", udp_origin.port)
    with udp_origin.untouched("x"), start(build, socksify, long_lived("socksd-gss"), argv) as process:
        assert told(process) == {"sendto": "EACCES", "connect": "EACCES", "again": "EACCES"}
        assert process.wait(HANG) == 0
        errors = process.stderr.read().decode()
    assert errors.count("\n") == 1 and "socksify-gss-agent" in errors


def test_another_agent_takes_over(long_lived, udp_origin, socksify, tmp_path):
    """Of a socket that is connected, and of one that is not: by the third datagram at the latest there is an answer again."""
    build = copy_of_the_build(tmp_path, agent=True)
    argv = program("associated", "insists", "127.0.0.1", udp_origin.port)
    with start(build, socksify, long_lived("socksd-gss"), argv) as process:
        assert told(process) == {"connected": 1, "unconnected": 1}
        (agent,) = agents_of(build)
        with os.fdopen(os.pidfd_open(agent)) as end:
            os.kill(agent, signal.SIGKILL)
            assert select.select([end], [], [], HANG)[0]
        process.stdin.write(b"\n")
        process.stdin.flush()
        said = told(process)
        process.stdin.close()
        assert 1 < said["connected"] <= 3 and 1 <= said["unconnected"] <= 3, said
        assert process.wait(HANG) == 0, process.stderr.read()


@pytest.mark.parametrize("bypass", ["", "192.0.2.1"])
def test_a_signal_does_not_hide_who_has_come(long_lived, socksify, tmp_path, bypass):
    """accept has taken a connection, and the agent that is asked whose it is answers late."""
    build = copy_of_the_build(tmp_path, agent=True)
    env = {"SOCKSIFY_BIND": "1"} | ({"SOCKSIFY_BYPASS": bypass} if bypass else {})
    with start(build, socksify, long_lived("socksd-gss"), program("listener", "interrupted", 0), env=env) as process:
        announced = told(process)
        with socket.create_connection((announced["host"], announced["port"])) as peer:
            assert told(process) == {"come": True}
            with stopped(*agents_of(build)):
                process.stdin.write(b"\n")
                process.stdin.flush()
                assert not select.select([process.stdout], [], [], 0.3)[0]
            assert told(process) == {"peer": list(peer.getsockname()), "same": True}
        assert process.wait(HANG) == 0, process.stderr.read()


@pytest.mark.parametrize("way", ["polled", "selected"])
def test_who_came_before_is_told_of_no_later(independent, socksify, tmp_path, way):
    """A peer connects to the listener, and then speaks on another connection: in that order, though the agent is slow."""
    build = copy_of_the_build(tmp_path, agent=True)
    mark = independent.mark()
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        elsewhere.settimeout(HANG)
        argv = program("listener", "beside", 0, way, *elsewhere.getsockname())
        with start(build, socksify, independent, argv, env={"SOCKSIFY_BIND": "1"}) as process, elsewhere.accept()[0] as other:
            announced = told(process)
            with stopped(*agents_of(build)), socket.create_connection((announced["host"], announced["port"])):
                independent.await_event("accepted", mark)
                other.sendall(b"150")
                assert not select.select([process.stdout], [], [], 0.3)[0]
            assert told(process) == {"listener": True, "other": True}
            assert process.wait(HANG) == 0, process.stderr.read()
