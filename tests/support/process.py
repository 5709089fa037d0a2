"""Start, await and end child processes; every wait is for an event, timeouts are hang guards only."""

import contextlib
import itertools
import json
import os
import queue
import random
import select
import socket
import subprocess
import threading
import time
from pathlib import Path

HANG = 60.0  # seconds; a guard against hangs, never a measurement
FIRST_PORT = 10_000  # of those that programs are told
MOST_WORKERS = 8


def _own_ports():
    """Ports that the kernel gives to nobody who asks for any (ip_local_port_range), each worker of pytest its own; round and round."""
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()[0])
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    share = max(lowest - FIRST_PORT, 10_000) // MOST_WORKERS  # a machine may give out all of them: then they are just free
    first = FIRST_PORT + int(worker) % MOST_WORKERS * share
    start = random.randrange(share)  # others may run at the same time
    return (first + (start + n) % share for n in itertools.count())


_ports = _own_ports()


def free_port(host="127.0.0.1", kind=socket.SOCK_STREAM):
    """A loopback port where nobody is, and nobody comes by chance: for programs that cannot take port 0, and to be refused."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for port in _ports:
        with socket.socket(family, kind) as probe, contextlib.suppress(OSError):
            probe.bind((host, port))
            return port


def accepts(host, port):
    try:
        socket.create_connection((host, port), 1).close()
        return True
    except OSError:
        return False


def await_port(host, port, process=None, timeout=HANG, probe=accepts):
    """Returns once something accepts at host:port; fails if `process` ends first. `probe` may ask from elsewhere."""
    deadline = time.monotonic() + timeout
    while not probe(host, port):
        if process is not None and process.poll() is not None:
            raise RuntimeError(f"{process.args} ended with {process.returncode} before listening")
        if time.monotonic() > deadline:
            raise TimeoutError(f"nothing listens at {host}:{port}")
        time.sleep(0.01)  # the connect probe is the event; this only paces it


def stop(process, timeout=HANG):
    """SIGTERM, then SIGKILL if it does not end; returns the exit status."""
    if process.poll() is None:
        process.terminate()
    try:
        return process.wait(timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


class Service:
    """A child that says `listening on ADDR:PORT` on stdout and may go on with JSON events, one a line.

    A thread drains stdout, so the child never blocks on it; `await_event` sleeps on a condition. `mark` and `since` drain it
    themselves: what the child told before it did something is seen by whoever has seen that.
    """

    def __init__(self, argv, env=None, cwd=None, name=None, stderr=None):
        self.name = name or os.path.basename(argv[0])
        self.events = []
        self.lines = []
        self._changed = threading.Condition()
        self._ended = False
        self._unfinished = b""
        self._listening = queue.Queue()
        self.stderr_path = stderr
        sink = open(stderr, "ab") if stderr else None
        self.process = subprocess.Popen(argv, env=env, cwd=cwd, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=sink)
        if sink:
            sink.close()
        threading.Thread(target=self._drain, daemon=True).start()
        address = self._listening.get(timeout=HANG)
        if address is None:
            raise RuntimeError(f"{argv} ended with {self.process.wait()} before listening: {self.stderr()}")
        self.host, _, port = address.rpartition(":")
        self.host = self.host.strip("[]")
        self.port = int(port)

    def _drain(self):
        stdout = self.process.stdout
        os.set_blocking(stdout.fileno(), False)
        while not self._ended:
            select.select([stdout], [], [])
            with self._changed:
                self._take()
        self._listening.put(None)

    def _take(self):
        """All that the child has said until now; the lock is held."""
        while not self._ended and (octets := self.process.stdout.raw.read(1 << 16)) is not None:
            self._ended = not octets
            *lines, self._unfinished = (self._unfinished + octets).split(b"\n")
            for raw in lines:
                line = raw.decode(errors="replace")
                self.lines.append(line)
                if line.startswith("listening on "):
                    self._listening.put(line.removeprefix("listening on ").strip())
                if line.startswith("{"):
                    self.events.append(json.loads(line))
            self._changed.notify_all()

    @property
    def address(self):
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def pid(self):
        return self.process.pid

    def stderr(self):
        if not self.stderr_path:
            return ""
        with open(self.stderr_path, encoding="utf-8", errors="replace") as log:
            return log.read()

    def mark(self):
        """A position in the event list, for `since`."""
        with self._changed:
            self._take()
            return len(self.events)

    def since(self, mark, event=None):
        """The events after `mark`, of that kind, of all that the child has said until now."""
        with self._changed:
            self._take()
            return [e for e in self.events[mark:] if event is None or e["event"] == event]

    def await_event(self, event, mark=0, timeout=HANG, **fields):
        """The first event after `mark` of that kind and with these fields; waits for it."""
        def find():
            for item in self.events[mark:]:
                if item["event"] == event and all(item.get(k) == v for k, v in fields.items()):
                    return item
            return None

        with self._changed:
            self._changed.wait_for(lambda: find() or self._ended, timeout)
            found = find()
        if found is None:
            raise TimeoutError(f"{self.name}: no event {event} {fields}; saw {self.events[mark:]}")
        return found

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        return stop(self.process)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
