"""What executing programs beside a connection leaves behind, and what the relay process of a session shows of itself."""

import os
import subprocess
import time

import pytest

from support.process import HANG
from support.servers import built
from test_stress import SANITIZED, descriptors, processes, until

pytestmark = pytest.mark.skipif(SANITIZED, reason="executes programs that are not sanitized")
STRESS = built("stress/stress")
CHILDREN = int(os.environ.get("STRESS_CHILDREN", "300"))


def relays(realm):
    return [pid for pid, name in processes(os.fsencode(realm.dir)).items() if name.startswith(b"socksify-gss-relay")]


def resident(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


def test_programs_beside_an_idle_connection(realm, start_server, echo, socksify):
    server = start_server("socksd-gss")
    assert relays(realm) == []
    argv = [STRESS, "children", echo.host, echo.port, CHILDREN]
    with socksify.popen(server, argv, stdin=subprocess.PIPE, text=True) as process:
        start = time.monotonic()
        first = descriptors(server.pid)
        assert process.stdout.readline() == f"executed {CHILDREN}\n", process.stderr.read()
        print(f"{CHILDREN} programs in {time.monotonic() - start:.1f} s")
        assert len(relays(realm)) == 1
        relay = relays(realm)[0]
        assert descriptors(relay) < 20 and resident(relay) < 20_000
        assert descriptors(server.pid) <= first + 8
        process.stdin.write("x")
        process.stdin.flush()
        assert process.stdout.readline() == "closed\n"
        process.stdin.write("x")
        process.stdin.close()
        assert process.wait(HANG) == 0
    until(lambda: relays(realm) == [], lambda: relays(realm))
