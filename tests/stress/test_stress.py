"""Threads that use connections in every way there is, for STRESS_SECONDS at each level and by SSL; nothing is wrong, nothing
left.

Under a sanitizer (`make check SAN=thread`) the program and the shim are sanitized, and no program that is not is executed.
"""

import json
import os
import subprocess
import time
from pathlib import Path

import pytest

from support.process import HANG
from support.servers import Tls, built

STRESS = Path(built("stress/stress"))
SANITIZED = (STRESS.parent / "socksify-gss").exists()
SECONDS = int(os.environ.get("STRESS_SECONDS", "5"))
THREADS = int(os.environ.get("STRESS_THREADS", "8"))
# A forked child goes on with threads; and fork takes more locks at once than the deadlock detector can count.
TSAN_OPTIONS = "die_after_fork=0:detect_deadlocks=0"
# A cancelled thread leaves marks of its frames behind, on which the sanitizer itself stumbles when it takes the signal stack away.
ASAN_OPTIONS = "use_sigaltstack=0"


def until(condition, what):
    """What ends by itself ends without a word; only /proc tells."""
    deadline = time.monotonic() + HANG
    while not condition():
        assert time.monotonic() < deadline, what()
        time.sleep(0.02)


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def processes(mark):
    """Those that have `mark` in their environment, as far as it can be read: the relays keep KRB5_CONFIG of theirs."""
    found = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            if mark in Path(f"/proc/{entry}/environ").read_bytes():
                found[int(entry)] = Path(f"/proc/{entry}/cmdline").read_bytes()
        except OSError:
            pass
    return found


def shared_memory():
    """What has a name; without the semaphores of Python programs that run beside this test."""
    return {name for name in os.listdir("/dev/shm") if not name.startswith("sem.mp-")}


@pytest.mark.parametrize("method, level", [("gssapi", "integrity"), ("gssapi", "confidentiality"), ("ssl", None)])
def test_stress(method, level, realm, pki, start_server, echo, socksify, tmp_path, record_property):
    server = start_server("socksd-gss", methods=method, tls=Tls(pki) if method == "ssl" else None)
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    seed = os.environ.get("STRESS_SEED", str(time.time_ns() % 1_000_000))
    before, shared = processes(os.fsencode(realm.dir)), shared_memory()
    sessions = descriptors(server.pid)
    argv = [STRESS, echo.host, echo.port, SECONDS, THREADS, seed]
    env = {"TMPDIR": str(temporary)}
    if SANITIZED:
        argv.append("--no-exec")
        env |= {"TSAN_OPTIONS": TSAN_OPTIONS, "ASAN_OPTIONS": ASAN_OPTIONS}
        launcher = STRESS.parent / "socksify-gss"
        done = subprocess.run([launcher, *map(str, argv)], env=socksify.env(server, level, env), capture_output=True,
                              text=True, timeout=SECONDS + 600, stdin=subprocess.DEVNULL, check=False)
    else:
        done = socksify.run(server, argv, level=level, env=env, timeout=SECONDS + 300)
    assert (done.returncode, done.stderr) == (0, f"stress: seed {seed}\n"), done.stderr[:6000]
    figures = json.loads(done.stdout)
    record_property("figures", figures)
    print(figures)

    def left():
        return {pid: name for pid, name in processes(os.fsencode(realm.dir)).items() if pid not in before}
    until(lambda: not left(), left)
    until(lambda: descriptors(server.pid) <= sessions + 2, lambda: f"{descriptors(server.pid)} sessions are left")
    assert not list(temporary.iterdir())
    assert shared_memory() <= shared
