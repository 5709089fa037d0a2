#!/usr/bin/python3
"""What sessions that are open and silent cost the server in memory.

    idle.py            prints a table and keeps every figure in build/bench/idle.json

BENCH_SESSIONS of them (10000), or as many as it may have descriptors for, two each. Each has carried an octet both ways.
"""

import contextlib
import os
import resource
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import report  # noqa: E402
from bench.paths import Paths  # noqa: E402
from support.servers import BUILD  # noqa: E402

SESSIONS = int(os.environ.get("BENCH_SESSIONS", "10000"))
ASKED = 10000  # what is extrapolated to
EACH = 500  # sessions of one client
SPARE = 200  # descriptors of a server's or an origin's own
PUMP = str(BUILD / "bench" / "pump")
SERVERS = {"method none": "none", "level 2": "gssapi", "ssl": "ssl"}  # by path


def sessions_allowed():
    """The hard limit is raised for what this starts, where that is allowed."""
    with contextlib.suppress(ValueError, OSError):
        wanted = 2 * SESSIONS + SPARE
        if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
    return min(SESSIONS, (resource.getrlimit(resource.RLIMIT_NOFILE)[1] - SPARE) // 2)


def resident(pid):
    """In KB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


def measure(path, server, sessions):
    """Among machines of its own: after so many sessions their ports are not free again for a minute."""
    with contextlib.ExitStack() as stack:
        paths = Paths(stack, [PUMP, "hold"])
        route, pid = paths.routes[path], paths.servers[server].pid
        before = resident(pid)
        for first in range(0, sessions, EACH):
            count = min(EACH, sessions - first)
            client = stack.enter_context(subprocess.Popen(
                route.wrap([PUMP, "idle", *map(str, paths.target), str(count)]), env=route.env, stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, text=True))  # which ends with its standard input
            if not client.stdout.readline():
                raise SystemExit(f"the client with sessions {first} to {first + count}: {client.wait()}")
        return {"sessions": sessions, "before": before, "after": resident(pid)}


def main():
    sessions = sessions_allowed()
    results = {path: measure(path, server, sessions) for path, server in SERVERS.items()}
    report.keep(BUILD, "idle", results)
    each = {path: (of["after"] - of["before"]) / of["sessions"] for path, of in results.items()}
    report.table("idle sessions: what the server has in memory",
                 ("path", "sessions", "before, MB", "after, MB", "KB each", f"MB for {ASKED}"),
                 [(path, of["sessions"], f"{of['before'] / 1e3:.1f}", f"{of['after'] / 1e3:.1f}", f"{each[path]:.1f}",
                   f"{(of['before'] + ASKED * each[path]) / 1e3:.0f}") for path, of in results.items()])


if __name__ == "__main__":
    main()
