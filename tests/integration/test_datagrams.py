"""Datagrams through the server: by real programs, through every fault of a server and of the way, and never past it."""

import contextlib
import errno
import json
import signal
import socket
import subprocess

import pytest

from support import payload, wire
from support.process import HANG, free_port
from support.runner import program
from support.servers import PYTHON, Tls

LEVELS = ("integrity", "confidentiality")
SEQUENCE = 0x8  # GSS_C_SEQUENCE_FLAG
EOPNOTSUPP = errno.errorcode[errno.EOPNOTSUPP]  # as Python calls it


def datagrams(what, *arguments):
    return program("datagrams", what, *arguments)


def run(socksify, server, argv, **more):
    """What a program says that is to succeed, with not a word from us."""
    done = socksify.run(server, argv, **more)
    assert done.returncode == 0 and done.stderr == "", (done.returncode, done.stdout[-2000:], done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def lines(process):
    """The program's next line."""
    line = process.stdout.readline()
    assert line, process.stderr.read()
    return json.loads(line)


def exchange(process):
    """Two lines there and back; its input stays open."""
    for line in (b"a line\n", b"another\n"):
        process.stdin.write(line)
        process.stdin.flush()
        assert process.stdout.readline() == line


# --- what works ---


@pytest.mark.parametrize("level", LEVELS)
def test_echo(server, udp_origin, socksify, level):
    said = run(socksify, server, datagrams("echo", server.target, udp_origin.port, 1, 100, 1400, 9000, 65000), level=level)
    assert said == {"same": True, "count": 10, "sources": [True]}


def test_by_address(server, udp_origin, socksify):
    said = run(socksify, server, datagrams("echo", "127.0.0.1", udp_origin.port, 0, 10))
    assert said == {"same": True, "count": 4, "sources": [True]}


def test_asyncio(server, udp_origin, socksify):
    said = run(socksify, server, datagrams("with_asyncio", server.target, udp_origin.port, 20))
    assert said == {"done": 400, "errors": []}


def test_ncat(server, udp_origin, socksify):
    """It ends with its input: that is held open until the answer is there."""
    argv = ["ncat", "-u", server.target, str(udp_origin.port)]
    with socksify.popen(server, argv, stdin=subprocess.PIPE) as process:
        exchange(process)
        process.stdin.close()
        assert process.wait(HANG) == 0 and process.stderr.read() == b""


SENDERS = {
    "bash": ["bash", "-c", 'printf "gone at once" > /dev/udp/$0/$1'],
    "non-blocking": [PYTHON, "-c", "import socket, sys; s = socket.socket(type=socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)\n"
                                   "s.sendto(b'gone at once', (sys.argv[1], int(sys.argv[2])))"],
    "ncat": ["sh", "-c", 'printf "gone at once" | ncat -u --send-only $0 $1'],
}


@pytest.mark.parametrize("sender", SENDERS)
def test_sent_and_gone(server, udp_origin, socksify, sender):
    """What a program sends goes out, although it has ended before the association was made."""
    mark = udp_origin.mark()
    done = socksify.run(server, [*SENDERS[sender], "127.0.0.1", str(udp_origin.port)])
    assert done.returncode == 0 and done.stderr == "", done
    udp_origin.await_event("datagram", mark, head="gone at once")


def test_netcat(server, udp_origin, socksify):
    argv = ["nc", "-u", server.target, str(udp_origin.port)]
    with socksify.popen(server, argv, stdin=subprocess.PIPE) as process:
        exchange(process)
        process.terminate()  # it listens for ever
        assert process.stderr.read() == b""


@pytest.mark.parametrize("kind", ["UDP", "UDP-DATAGRAM"])
def test_socat(server, udp_origin, socksify, kind):
    with socksify.popen(server, ["socat", "-", f"{kind}:{server.target}:{udp_origin.port}"], stdin=subprocess.PIPE) as process:
        exchange(process)
        process.stdin.close()
        assert process.wait(HANG) == 0 and process.stderr.read() == b""


@pytest.mark.parametrize("way", [(), ("-R",)], ids=["up", "down"])
def test_iperf3(server, socksify, way):
    port = free_port()
    with subprocess.Popen(["iperf3", "-s", "--forceflush", "-p", str(port)], stdout=subprocess.PIPE, text=True) as iperf:
        assert any("listening" in line for line in iperf.stdout)
        done = socksify.run(server, ["iperf3", "-u", "-c", server.target, "-p", str(port), "-b", "2M", "-n", "80K", "-l", "4K", "-J", *way])
        iperf.kill()
    assert done.returncode == 0 and done.stderr == "", done.stdout
    total = json.loads(done.stdout)["end"]["sum"]
    assert total["packets"] - total["lost_packets"] > 15, total  # so few that a socket's buffer holds them all


@pytest.mark.parametrize("kind, count", [("socksd-gss", 1000), ("independent", 200)])
def test_many_at_once(long_lived, udp_origin, socksify, kind, count):
    server = long_lived(kind)
    mark = server.mark()
    said = run(socksify, server, datagrams("many", server.target, udp_origin.port, count), timeout=120)
    assert said == {"right": 2 * count, "missing": 0}
    if kind == "independent":
        assert len(server.since(mark, "associated")) == count


# --- what the server is asked ---


def test_one_association_for_a_socket(independent, udp_origin, socksify):
    """And a session of its own for it, in which order does not matter; by name."""
    mark = independent.mark()
    run(socksify, independent, datagrams("echo", "origin.test", udp_origin.port, 10, 20, 30))
    requests = independent.since(mark, "request")
    assert [e["command"] for e in requests] == [wire.UDP_ASSOCIATE] * 2
    assert {(e["host"], e["port"]) for e in requests} == {("0.0.0.0", 0)}
    assert all(not e["flags"] & SEQUENCE for e in independent.since(mark, "context"))
    assert {(e["atyp"], e["host"]) for e in independent.since(mark, "up")} == {(3, "origin.test")}
    assert not independent.since(mark, "dropped")


def test_addresses_go_as_addresses(independent, udp_origin, socksify):
    mark = independent.mark()
    run(socksify, independent, datagrams("echo", "127.0.0.1", udp_origin.port, 1))
    assert {(e["atyp"], e["host"]) for e in independent.since(mark, "up")} == {(1, "127.0.0.1")}


def test_a_socket_that_is_not_used_asks_for_nothing(start_server, socksify):
    server = start_server("independent")
    run(socksify, server, [PYTHON, "-c", "import socket; s = socket.socket(type=socket.SOCK_DGRAM)\n"
                           "s.bind(('127.0.0.1', 0)); s.setsockopt(1, 6, 1); s.close(); print(0)"])
    assert not server.since(0, "session")


def test_closing_ends_the_association(independent, udp_origin, socksify):
    mark = independent.mark()
    with socksify.popen(independent, datagrams("closes", "origin.test", udp_origin.port), stdin=subprocess.PIPE) as process:
        assert lines(process) == {"used": True}
        independent.await_event("over", mark)
        process.stdin.close()
        assert process.wait(HANG) == 0


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_dying_ends_the_association(independent, udp_origin, socksify, how):
    mark = independent.mark()
    with socksify.popen(independent, datagrams("waits", "origin.test", udp_origin.port), stdin=subprocess.PIPE) as process:
        lines(process)
        process.send_signal(how)
        process.wait()
    independent.await_event("over", mark)


# --- faults of the server and of the way ---


@pytest.mark.parametrize("fault", ["alter@data", "plain", "huge", "long", "fragment", "mtyp@data=02", "version@data=05",
                                   "cut@data=10", "cut@data=3", "cut@data=0", "conf-false@data", "stranger", "drop"])
def test_what_is_wrong_is_dropped(start_server, udp_origin, socksify, fault):
    server = start_server("independent", faults=[fault, "frame-number=1"])
    said = run(socksify, server, datagrams("answers", "origin.test", udp_origin.port, "one", "two", "three"))
    assert said == {"answers": ["one", "three"]}


@pytest.mark.parametrize("fault, expected", [("replay", ["one", "two", "three"]), ("reorder", ["one", "three", "two"]),
                                             ("empty-token@data", ["one", "two", "three"])])
def test_what_is_not_wrong_comes_once(start_server, udp_origin, socksify, fault, expected):
    server = start_server("independent", faults=[fault, "frame-number=1"])
    said = run(socksify, server, datagrams("answers", "origin.test", udp_origin.port, "one", "two", "three"))
    assert said == {"answers": expected}


@pytest.mark.parametrize("faults", [("lose=4",), ("double=2",), ("swap=3",), ("lose=5", "double=3", "swap=7")], ids="+".join)
def test_a_bad_way(start_server, udp_origin, socksify, faults):
    server = start_server("independent", faults=faults)
    said = run(socksify, server, datagrams("reliable", "origin.test", udp_origin.port, 60))
    assert said["done"] == 60 and said["wrong"] == 0, said


def test_doubled_on_the_way_is_once_here(start_server, udp_origin, socksify):
    server = start_server("independent", faults=["double=1"])
    said = run(socksify, server, datagrams("answers", "origin.test", udp_origin.port, "one", "#twice"))
    assert said == {"answers": ["one", "#twice", "#twice"]}


@pytest.mark.parametrize("bound", ["0.0.0.0", "::"])
def test_the_relay_is_where_the_server_is(start_server, udp_origin, socksify, bound):
    server = start_server("independent", faults=[f"bound={bound}"])
    assert run(socksify, server, datagrams("attempt", "origin.test", udp_origin.port, "hello"))["answer"] == "hello"


def test_names_of_sources(start_server, udp_origin, socksify):
    server = start_server("independent", faults=["name-source"])
    said = run(socksify, server, datagrams("echo", "origin.test", udp_origin.port, 10, 20))
    assert said == {"same": True, "count": 4, "sources": [True]}


def test_the_server_ends_the_association(start_server, udp_origin, socksify):
    server = start_server("independent", faults=["end-after=2"])
    with socksify.popen(server, datagrams("insist", "origin.test", udp_origin.port, 4), stdin=subprocess.PIPE) as process:
        for number in range(4):
            assert lines(process) == {"answered": number}
            process.stdin.write(b"\n")
            process.stdin.flush()
        assert lines(process)["done"] == 4
        assert process.wait(HANG) == 0
    assert len(server.since(0, "associated")) >= 2


@pytest.mark.parametrize("kind", ["socksd-gss", "independent"])
def test_the_server_is_started_again(start_server, udp_origin, socksify, kind):
    server = start_server(kind, listen=f"127.0.0.1:{free_port()}")
    with socksify.popen(server, datagrams("insist", "127.0.0.1", udp_origin.port, 2), stdin=subprocess.PIPE) as process:
        assert lines(process) == {"answered": 0}
        server.kill()
        again = start_server(kind, listen=f"127.0.0.1:{server.port}")
        process.stdin.write(b"\n")
        process.stdin.flush()
        assert lines(process) == {"answered": 1}
        assert lines(process)["done"] == 2
        assert again.port == server.port


@pytest.mark.parametrize("fault, error", [("rep=7", EOPNOTSUPP), ("rep=2", "EACCES"), ("rep=1", "ECONNREFUSED")])
def test_refused(start_server, udp_origin, socksify, fault, error):
    """The first datagram of a blocking socket says why; one line for people; nothing direct."""
    server = start_server("independent", faults=[fault])
    with udp_origin.untouched("hello"):
        done = socksify.run(server, datagrams("attempt", "127.0.0.1", udp_origin.port, "hello"))
    said = json.loads(done.stdout)
    assert said["step"] == "send" and said["error"] == error, done
    assert done.stderr.startswith("socksify-gss: ") and done.stderr.count("\n") == 1


@pytest.mark.parametrize("fault", ["rep=7", "rep=2", "rep=1", "close@level"])
def test_refused_without_waiting(start_server, udp_origin, socksify, fault):
    """A non-blocking socket hears of it as of a port that refuses; the line for people is the same."""
    server = start_server("independent", faults=[fault])
    with udp_origin.untouched("hello"):
        done = socksify.run(server, datagrams("attempt_nonblocking", "127.0.0.1", udp_origin.port, "hello"))
    assert json.loads(done.stdout)["error"] not in (None, "nothing"), done
    assert done.stderr.startswith("socksify-gss: ") and done.stderr.count("\n") == 1, done.stderr


def test_no_server(udp_origin, socksify):
    with udp_origin.untouched("hello"):
        done = socksify.run(f"127.0.0.1:{free_port()}", datagrams("attempt", "127.0.0.1", udp_origin.port, "hello"))
    said = json.loads(done.stdout)
    assert said["step"] == "send" and said["error"] == "ECONNREFUSED", done
    assert done.stderr.startswith("socksify-gss: ") and done.stderr.count("\n") == 1


def test_no_ticket(independent, udp_origin, socksify):
    with udp_origin.untouched("hello"):
        done = socksify.run(independent, datagrams("attempt", "127.0.0.1", udp_origin.port, "hello"),
                            env={"KRB5CCNAME": "FILE:/nonexistent"})
    said = json.loads(done.stdout)
    assert said["step"] == "send" and said["error"] == "EACCES", done
    assert "kinit" in done.stderr


@pytest.mark.parametrize("fault", ["stall@reply", "stall@context", "close@reply", "reset@level", "alter@reply"])
def test_a_server_that_does_not_answer(start_server, udp_origin, socksify, fault):
    server = start_server("independent", faults=[fault])
    with udp_origin.untouched("hello"):
        done = socksify.run(server, datagrams("attempt", "127.0.0.1", udp_origin.port, "hello"), options=("--timeout=1",))
    said = json.loads(done.stdout)
    assert said["step"] == "send" and said["error"] not in (None, "nothing"), done


# --- policy ---


def test_udp_block(start_server, udp_origin, socksify):
    server = start_server("independent")
    with udp_origin.untouched("hello"):
        done = socksify.run(server, datagrams("attempt", "127.0.0.1", udp_origin.port, "hello"), options=("--udp=block",))
    said = json.loads(done.stdout) if done.stdout else {"error": "raised"}
    assert said.get("error") not in (None, "nothing"), done
    assert not server.since(0, "session")


def test_udp_direct(start_server, udp_origin, socksify):
    server = start_server("independent")
    done = socksify.run(server, datagrams("attempt", "127.0.0.1", udp_origin.port, "hello"), options=("--udp=direct",))
    assert json.loads(done.stdout)["answer"] == "hello", done.stderr
    assert not server.since(0, "session")


def test_bypassed(start_server, udp_origin, socksify):
    server = start_server("independent")
    done = socksify.run(server, datagrams("attempt", "127.0.0.1", udp_origin.port, "hello"), options=("--bypass=127.0.0.0/8",))
    assert json.loads(done.stdout)["answer"] == "hello", done.stderr
    assert not server.since(0, "session")


@pytest.mark.parametrize("kind", ["socksd-gss", "independent"])
@pytest.mark.parametrize("client, server_side", [(True, True), (True, False), (False, True), (False, False)])
def test_ssl_naked(start_server, pki, udp_origin, socksify, kind, client, server_side):
    """In clear only where both sides say so."""
    server = start_server(kind, methods="ssl", tls=Tls(pki), options=["--ssl-udp-naked"] if server_side else [])
    options = ("--ssl-udp-naked=1",) if client else ()
    with contextlib.nullcontext() if client and server_side else udp_origin.untouched("hello"):
        done = socksify.run(server, datagrams("attempt", "127.0.0.1", udp_origin.port, "hello"), options=options)
    said = json.loads(done.stdout)
    if client and server_side:
        assert said.get("answer") == "hello" and done.stderr == "", done.stderr
        return
    assert said["step"] == "send" and said["error"] in (EOPNOTSUPP, "EACCES"), done
    assert "socksify-gss: " in done.stderr


@pytest.mark.parametrize("method", ["none", "userpass"])
def test_other_methods(start_server, udp_origin, socksify, tmp_path, method):
    server = start_server("socksd-gss", methods=method, user="alice:secret" if method == "userpass" else None)
    env = {"SOCKSIFY_METHODS": method, "SOCKSIFY_USER": "alice", "SOCKSIFY_PASSWORD": "secret"}
    said = run(socksify, server, datagrams("echo", "127.0.0.1", udp_origin.port, 1, 1000, 65000), env=env)
    assert said == {"same": True, "count": 6, "sources": [True]}


# --- others on this host ---


@pytest.mark.parametrize("what", ["waits", "waits_connected"])
def test_a_stranger_is_not_heard(independent, udp_origin, socksify, what):
    """Whoever on this host sends to the application's socket is not its peer, and not bypassed."""
    argv = datagrams(what, "origin.test", udp_origin.port)
    with socksify.popen(independent, argv, stdin=subprocess.PIPE) as process:
        port = lines(process)["port"]
        with socket.socket(type=socket.SOCK_DGRAM) as stranger:
            stranger.sendto(b"from a stranger", ("127.0.0.1", port))
        process.stdin.write(b"\n")
        process.stdin.flush()
        assert lines(process) == {"came": []}
        assert process.wait(HANG) == 0


def test_no_plaintext_is_kept_in_sight(independent, udp_origin, socksify):
    """The independent server takes nothing but `01 03 LEN token`; that it dropped none says that all were such."""
    mark = independent.mark()
    done = socksify.run(independent, datagrams("attempt", "origin.test", udp_origin.port, payload.MARKER.decode()))
    assert json.loads(done.stdout)["answer"] == payload.MARKER.decode()
    assert not independent.since(mark, "dropped")
