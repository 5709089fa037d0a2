"""The agent beside an application: what happens without it, and when it goes."""

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

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


def copy_of_the_build(directory, *, agent):
    for name in ("socksify-gss", "libsocksify-gss.so", "libsocksify-gss-core.so", "socksify-gss-relay"):
        shutil.copy(built(name), directory / name)
    if agent:
        shutil.copy(built("socksify-gss-agent"), directory / "socksify-gss-agent")
    return directory


def start(build, socksify, server, argv, **more):
    return subprocess.Popen([str(build / "socksify-gss"), "--", *argv], env=socksify.env(server), stdin=subprocess.PIPE,
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
        os.kill(agent, signal.SIGKILL)
        process.stdin.write(b"\n")
        process.stdin.flush()
        said = told(process)
        process.stdin.close()
        assert 1 < said["connected"] <= 3 and 1 <= said["unconnected"] <= 3, said
        assert process.wait(HANG) == 0, process.stderr.read()
