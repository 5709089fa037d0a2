"""Runs CPython's own test modules, each in processes of its own, and says what every test came to."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

RUNNER = Path(__file__).with_name("unittest_events.py")
PATIENCE = 60  # seconds; a hang guard for each test
MAX_DEATHS = 6  # of a module's processes, then the rest of it is given up


def modules():
    """The longest first; asyncio's by file."""
    package = importlib.util.find_spec("test.test_asyncio")
    if package is None:
        raise FileNotFoundError("CPython's tests: libpython3.11-testsuite is not installed")
    files = sorted(Path(package.submodule_search_locations[0]).glob("test_*.py"))
    asyncio = [f"test.test_asyncio.{file.stem}" for file in files if "windows" not in file.stem]
    longest = ["test.test_socket", "test.test_ssl", "test.test_subprocess", "test.test_asyncio.test_tasks",
               "test.test_selectors"]
    return longest + [name for name in asyncio if name not in longest]


def outcomes(module, *, wrapper, env, log, only=None, without=()):
    """What the tests of `module` came to: {id: {"outcome": ..., "why": ...}}. `wrapper` is put before the command.

    A test in which the process ends, or which takes longer than PATIENCE, came to `died`, and the next process goes on behind it.
    So did "MODULE at exit" when the interpreter does not end; it waits for threads that tests have left.
    """
    with tempfile.TemporaryDirectory(prefix="cpython-") as place:  # short: tests bind Unix sockets in it
        events = Path(place) / "events"
        argv = [*wrapper, sys.executable, str(RUNNER), *(f"--only={name}" for name in only or ()),
                *(f"--without={pattern}" for pattern in without), str(events), str(PATIENCE), module]
        told = []
        for _ in range(MAX_DEATHS):
            status = _run(argv, env | {"TMPDIR": place}, place, log)
            told = [json.loads(line) for line in events.read_text().splitlines()] if events.exists() else []
            if status == 0:
                break
            ended_in = told[-1].get("start") if told else None
            told.append({"id": ended_in or f"{module} at exit", "outcome": "died", "why": f"exit status {status}"})
            if ended_in is None:
                break
            events.write_text("".join(json.dumps(event) + "\n" for event in told))
        return {event["id"]: event for event in told if "id" in event}


def _run(argv, env, place, log):
    with open(log, "ab") as sink:
        process = subprocess.Popen(argv, env=env, cwd=place, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink,
                                   start_new_session=True)
    try:
        return process.wait()
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)  # what its tests have left
        except ProcessLookupError:
            pass
