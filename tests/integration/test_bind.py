"""Listening at the server (--bind 1): whoever connects there is accepted here, and nobody else; every failure is told."""

import errno
import json
import socket
import subprocess
import threading

import pytest

from support import payload, wire
from support.process import free_port
from support.runner import program

BIND = {"SOCKSIFY_BIND": "1"}
LEVELS = ("integrity", "confidentiality")
PATIENCE = 60
EOPNOTSUPP = errno.errorcode[errno.EOPNOTSUPP]  # as Python calls it


def listener(what, count=1):
    return program("listener", what, count)


class Listening:
    """The program, wrapped; `said()` is its next line."""

    def __init__(self, socksify, server, what, count=1, env=None, **more):
        self.process = socksify.popen(server, listener(what, count), env=BIND | (env or {}), **more)

    def said(self):
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read()
        return json.loads(line)

    def finish(self, status=0, silent=True):
        assert self.process.wait(PATIENCE) == status
        complaint = self.process.stderr.read().decode()
        assert complaint == "" or not silent, complaint
        return complaint

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()


def visit(announced, data):
    """Connects to where the listener is said to be: (own address, what came back)."""
    with socket.create_connection((announced["host"], announced["port"]), PATIENCE) as peer:
        own = list(peer.getsockname())
        peer.sendall(data)
        peer.shutdown(socket.SHUT_WR)
        back = b""
        while piece := peer.recv(1 << 16):
            back += piece
        return own, back


@pytest.mark.parametrize("what", ["blocking", "polling", "with_asyncio"])
@pytest.mark.parametrize("level", LEVELS)
def test_one_after_another(server, socksify, what, level):
    data = payload.octets(50_000, what)
    with Listening(socksify, server, what, 3, level=level) as program:
        for _ in range(3):
            own, back = visit(program.said(), data)
            assert back == data
            assert program.said() == {"peer": own, "same": True, "octets": len(data)}
        program.finish()


def test_by_ssl(long_lived, socksify):
    server = long_lived("socksd-gss", "ssl")
    with Listening(socksify, server, "blocking", 2) as program:
        for _ in range(2):
            own, back = visit(program.said(), b"some octets")
            assert back == b"some octets"
            assert program.said() == {"peer": own, "same": True, "octets": 11}
        program.finish()


@pytest.mark.parametrize("method", ["none", "userpass"])
def test_other_methods(start_server, socksify, method):
    server = start_server("socksd-gss", methods=method, user="alice:secret" if method == "userpass" else None)
    env = {"SOCKSIFY_METHODS": method, "SOCKSIFY_USER": "alice", "SOCKSIFY_PASSWORD": "secret"}
    with Listening(socksify, server, "blocking", env=env) as program:
        assert visit(program.said(), b"some octets")[1] == b"some octets"
        program.finish()


def test_a_child_accepts(server, socksify):
    with Listening(socksify, server, "inherited") as program:
        assert visit(program.said(), b"some octets")[1] == b"some octets"
        program.finish()


def test_what_is_asked(independent, socksify):
    """One BIND for each connection, each by a session of its own."""
    mark = independent.mark()
    with Listening(socksify, independent, "blocking", 2) as program:
        for _ in range(2):
            announced = program.said()
            local = [announced["host"], announced["port"]]
            independent.await_event("listening", mark, local=local)
            visit(announced, b"x")
            program.said()
        program.finish()
    assert {e["command"] for e in independent.since(mark, "request")} == {wire.BIND}


def test_the_end_ends_it_at_the_server(independent, socksify):
    """Nobody listens at the server for a program that has gone."""
    mark = independent.mark()
    with Listening(socksify, independent, "blocking") as program:
        program.said()
        session = independent.await_event("listening", mark)["session"]
        program.process.kill()
    independent.await_event("end", mark, session=session)


def test_nothing_without_the_option(start_server, socksify):
    server = start_server("independent")
    with Listening(socksify, server, "blocking", env={"SOCKSIFY_BIND": "0"}) as program:
        assert visit(program.said(), b"here")[1] == b"here"
        program.said()
        program.finish()
    assert not server.since(0, "session")


def test_bypassed(start_server, socksify):
    server = start_server("independent")
    with Listening(socksify, server, "blocking", env={"SOCKSIFY_BYPASS": "127.0.0.0/8"}) as program:
        assert visit(program.said(), b"here")[1] == b"here"
        program.finish()
    assert not server.since(0, "session")


@pytest.mark.parametrize("fault, error", [("rep=7", EOPNOTSUPP), ("rep=2", "EACCES"), ("rep=1", "ECONNREFUSED")])
def test_refused(start_server, socksify, fault, error):
    server = start_server("independent", faults=[fault])
    with Listening(socksify, server, "attempt") as program:
        said = program.said()
        assert said["step"] in ("bind", "listen") and said["error"] == error, said
        complaint = program.finish(silent=False)
    assert complaint.startswith("socksify-gss: ") and complaint.count("\n") == 1


def test_no_server(socksify):
    with Listening(socksify, f"127.0.0.1:{free_port()}", "attempt") as program:
        said = program.said()
        assert said["step"] in ("bind", "listen") and said["error"] == "ECONNREFUSED", said
        assert program.finish(silent=False).startswith("socksify-gss: ")


@pytest.mark.parametrize("fault", ["stall@reply", "close@level", "alter@reply"])
def test_a_server_that_does_not_answer(start_server, socksify, fault):
    server = start_server("independent", faults=[fault])
    with Listening(socksify, server, "attempt", options=("--timeout=1",)) as program:
        said = program.said()
        assert said["step"] in ("bind", "listen") and said["error"] not in (None, "nothing"), said


@pytest.mark.parametrize("bound", ["0.0.0.0", "::"])
def test_any_address_is_the_servers(start_server, socksify, bound):
    server = start_server("independent", faults=[f"bound={bound}"])
    with Listening(socksify, server, "blocking") as program:
        announced = program.said()
        assert announced["host"] == server.host
        assert visit(announced, b"some octets")[1] == b"some octets"
        program.finish()


def test_the_second_reply_fails(start_server, socksify):
    """Whoever came was not let in; the program waits on, at a listener that is there again, or is told."""
    server = start_server("independent", faults=["rep-second=1"])
    with Listening(socksify, server, "attempt", options=("--timeout=30",)) as program:
        announced = program.said()
        with socket.create_connection((announced["host"], announced["port"]), PATIENCE) as peer:
            assert peer.recv(1) == b""
        server.await_event("accepted")


def test_a_stranger_is_not_let_in(independent, socksify):
    """Whoever on this host finds the loopback listener gets nothing of the program, and does not stand in the way."""
    with Listening(socksify, independent, "blocking", 1) as program:
        announced = program.said()
        inode = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, check=True).stdout
        # Every port on which this program listens itself: who is not the agent connects there.
        ports = [int(line.split()[3].rsplit(":", 1)[1]) for line in inode.splitlines()
                 if f"pid={program.process.pid}," in line]
        strangers = [socket.create_connection(("127.0.0.1", port), PATIENCE) for port in ports]
        for stranger in strangers:
            stranger.settimeout(PATIENCE)
            stranger.sendall(b"let me in")
        own, back = visit(announced, b"some octets")
        assert back == b"some octets" and strangers
        assert program.said()["peer"] == own
        for stranger in strangers:
            try:
                assert stranger.recv(100) == b""
            except ConnectionError:
                pass
            stranger.close()
        program.finish()


def test_a_large_transfer(server, socksify):
    data = payload.octets(20_000_000, "bind")
    with Listening(socksify, server, "blocking") as program:
        announced = program.said()
        with socket.create_connection((announced["host"], announced["port"]), PATIENCE) as peer:
            sender = threading.Thread(target=lambda: (peer.sendall(data), peer.shutdown(socket.SHUT_WR)))
            sender.start()
            back = bytearray()
            while piece := peer.recv(1 << 18):
                back += piece
            sender.join()
        assert bytes(back) == data
        assert program.said()["octets"] == len(data)
        program.finish()
