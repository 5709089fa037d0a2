"""socksd-gss as a server of its own: rules, methods, timeouts, half-close, the end by SIGTERM."""

import json
import signal
import socket
import subprocess
import time

import pytest

from support import payload, wire
from support.process import HANG, free_port
from support.runner import program
from support.servers import base_env, built
from support.socks_gss_client import Refused, SocksGssClient

KIND = "socksd-gss"


def connect(server):
    return SocksGssClient((server.host, server.port))


def outcome(server, host, port, atyp=None):
    """The reply code for one CONNECT."""
    with connect(server) as client:
        try:
            client.handshake(host, port, atyp=atyp)
        except Refused as refused:
            return refused.code
        return wire.OK


def test_says_where_it_listens(start_server):
    running = start_server(KIND)
    assert running.lines[0] == f"listening on 127.0.0.1:{running.port}" and running.port != 0
    assert len(running.lines) == 1


def test_listens_on_ipv6(start_server, origin):
    if "echo6" not in origin.ports:
        pytest.skip("no IPv6 loopback")
    running = start_server(KIND, listen="[::1]:0")
    assert running.lines[0] == f"listening on [::1]:{running.port}"
    assert outcome(running, "127.0.0.1", origin.ports["echo"]) == wire.OK


@pytest.mark.parametrize("rules, host, service, expected", [
    (["--allow", "127.0.0.0/8"], "127.0.0.1", "echo", wire.OK),
    (["--deny", "127.0.0.0/8"], "127.0.0.1", "echo", wire.NOT_ALLOWED),
    (["--allow", "10.0.0.0/8"], "127.0.0.1", "echo", wire.NOT_ALLOWED),  # nothing matched, but there are rules
    (["--deny", "10.0.0.0/8"], "127.0.0.1", "echo", wire.NOT_ALLOWED),
    (["--deny", "127.0.0.0/8:1-10", "--allow", "127.0.0.0/8"], "127.0.0.1", "echo", wire.OK),
    (["--deny", "127.0.0.0/8:{port}", "--allow", "127.0.0.0/8"], "127.0.0.1", "echo", wire.NOT_ALLOWED),
    (["--allow", "127.0.0.0/8:{port}", "--deny", "127.0.0.0/8"], "127.0.0.1", "echo", wire.OK),  # first match wins
    (["--allow", "127.0.0.0/8:1024-65535"], "127.0.0.1", "echo", wire.OK),
    (["--allow", "127.0.0.1"], "127.0.0.1", "echo", wire.OK),
    (["--allow", ".test"], "origin.test", "echo", wire.OK),
    (["--deny", ".test", "--allow", "0.0.0.0/0"], "origin.test", "echo", wire.NOT_ALLOWED),
    (["--deny", ".test", "--allow", "0.0.0.0/0"], "ORIGIN.Test", "echo", wire.NOT_ALLOWED),
    (["--deny", ".est", "--allow", ".test"], "origin.test", "echo", wire.OK),  # a suffix ends at a dot
    (["--deny", "127.0.0.0/8", "--allow", ".test"], "origin.test", "echo", wire.NOT_ALLOWED),  # a name cannot hide an address
    (["--deny", "127.0.0.0/8", "--allow", "::/0"], "::ffff:127.0.0.1", "echo", wire.NOT_ALLOWED),  # nor can mapping
], ids=lambda v: "_".join(v) if isinstance(v, list) else None)
def test_rules(start_server, origin, rules, host, service, expected):
    port = origin.ports[service]
    running = start_server(KIND, options=[word.format(port=port) for word in rules])
    if host == "origin.test" and running.target != host:
        pytest.skip("no mount namespace, so no names")
    with origin.untouched(*([service] if expected != wire.OK else [])):
        assert outcome(running, host, port) == expected


def test_denied_is_eacces_for_the_program(start_server, origin, socksify):
    running = start_server(KIND, options=["--deny", "127.0.0.0/8"])
    done = socksify.run(running, program("connect", "127.0.0.1", origin.ports["echo"]))
    assert json.loads(done.stdout)["error"] == "EACCES", done.stderr


def test_levels(start_server, origin):
    """RFC 1961 §4.2: what the server is not willing to do it does not agree to."""
    for levels, asked, answers in (("integrity", 2, (1,)), ("confidentiality", 1, (2,)), ("integrity", 3, (1,)),
                                   ("confidentiality", 3, (2,)), ("integrity,confidentiality", 1, (1,))):
        running = start_server(KIND, levels=levels)
        with connect(running) as client:
            client.greet()
            client.establish()
            try:
                assert client.negotiate(asked) in answers, (levels, asked)
            except (wire.Closed, wire.Aborted):
                assert asked not in answers and asked != 3, (levels, asked)


def test_first_own_method_that_is_offered(start_server):
    running = start_server(KIND, methods="gssapi,userpass,none", user="alice:wonderland")
    for offered, chosen in (((0, 1, 2), 1), ((2, 0), 2), ((0,), 0), ((3, 9), 0xFF)):
        with connect(running) as client:
            assert client.greet(offered) == chosen, offered


@pytest.mark.parametrize("command", [4, 0, 0xFF])
def test_unknown_command(start_server, command):
    """RFC 1928 §6: 07."""
    running = start_server(KIND)
    with connect(running) as client, pytest.raises(Refused) as refused:
        client.greet()
        client.establish()
        client.negotiate(2)
        client.request("127.0.0.1", 80, command=command)
    assert refused.value.code == wire.BAD_COMMAND


def test_target_that_never_answers_blocks_nobody(start_server, origin):
    """A connect that hangs (a full backlog on loopback) leaves the other sessions alone."""
    running = start_server(KIND)
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        fillers = []
        while True:
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
            fillers.append(filler)
            if len(fillers) > 8:
                break
        with connect(running) as waiting:
            waiting.greet()
            waiting.establish()
            waiting.negotiate(2)
            waiting.raw(waiting.seal(wire.encode_request(wire.CONNECT, "127.0.0.1", port)))
            assert outcome(running, "127.0.0.1", origin.ports["echo"]) == wire.OK
        for filler in fillers:
            filler.close()


def test_sigterm_finishes_running_sessions(start_server, origin):
    """No new clients, the old ones to their end, exit status 0."""
    running = start_server(KIND)
    with connect(running) as client:
        client.handshake("127.0.0.1", origin.ports["echo"])
        running.process.send_signal(signal.SIGTERM)
        with pytest.raises(ConnectionRefusedError):
            while True:  # until the listener is gone; each accepted one is closed at once
                socket.create_connection((running.host, running.port), HANG).close()
                time.sleep(0.01)
        data = payload.octets(1_000_000, "last")
        for start in range(0, len(data), 10_000):
            client.send(data[start:start + 10_000])
            assert client.recv_exact(10_000) == data[start:start + 10_000]
        assert running.process.poll() is None
        client.half_close()
        assert client.recv() == b""
    assert running.process.wait(HANG) == 0


def test_sigterm_when_idle(start_server):
    running = start_server(KIND)
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(HANG) == 0


def test_max_clients(start_server, origin):
    """At the limit newcomers do not take anything from those inside; when one leaves the next gets in."""
    running = start_server(KIND, options=["--max-clients", "2"])
    with connect(running) as one, connect(running) as two:
        one.handshake("127.0.0.1", origin.ports["echo"])
        two.handshake("127.0.0.1", origin.ports["echo"])
        with connect(running) as three:
            one.send(b"still here")
            assert one.recv_exact(10) == b"still here"
            one.half_close()
            assert one.recv() == b""
            one.close()
            try:
                three.handshake("127.0.0.1", origin.ports["echo"])  # waited in the backlog,
            except (OSError, wire.Closed, wire.ProtocolError):
                pass  # or was turned away
    assert outcome(running, "127.0.0.1", origin.ports["echo"]) == wire.OK


def test_address_in_use(start_server, realm):
    running = start_server(KIND)
    done = subprocess.run([built("socksd-gss"), "--listen", running.address], env=base_env(realm.server_env),
                          capture_output=True, text=True, timeout=HANG, check=False)
    assert done.returncode != 0 and running.address in done.stderr and done.stdout == ""


@pytest.mark.parametrize("arguments", [[], ["--listen", "nonsense"], ["--listen", "127.0.0.1:0", "--methods", "magic"],
                                       ["--listen", "127.0.0.1:0", "--allow", "10.0.0.0/99"],
                                       ["--listen", "127.0.0.1:0", "--no-such-option"],
                                       ["--listen", "127.0.0.1:0", "--users", "/no/such/file", "--methods", "userpass"]])
def test_bad_arguments(realm, arguments):
    done = subprocess.run([built("socksd-gss"), *arguments], env=base_env(realm.server_env), capture_output=True, text=True,
                          timeout=HANG, stdin=subprocess.DEVNULL, check=False)
    assert done.returncode != 0 and done.stderr.strip() and "listening" not in done.stdout


def test_keytab_option(start_server, realm, origin, tmp_path):
    """--keytab instead of the environment."""
    realm.add_principal("socks/keytab.test")
    keytab = realm.ktadd("socks/keytab.test", tmp_path / "keytab")
    running = start_server(KIND, options=["--keytab", str(keytab)])
    with connect(running) as client:
        echo = origin.ports["echo"]
        client.handshake("127.0.0.1", echo, context=client.new_context("socks@keytab.test"))
    with connect(running) as client, pytest.raises((wire.Aborted, wire.Closed)):
        client.handshake("127.0.0.1", echo)


def test_gss_service_option(start_server, origin):
    """Only the named service's key is accepted for."""
    running = start_server(KIND, options=["--gss-service", "rcmd"])
    with connect(running) as client:
        client.handshake("127.0.0.1", origin.ports["echo"], context=client.new_context("rcmd@127.0.0.1"))
    with connect(running) as client, pytest.raises((wire.Aborted, wire.Closed)):
        client.handshake("127.0.0.1", origin.ports["echo"])


def test_target_reset_is_not_eof(start_server, realm):
    """A target that resets must not look like one that finished: the client's stream breaks inside its connection."""
    running = start_server(KIND)
    with socket.create_server(("127.0.0.1", 0)) as listener, connect(running) as client:
        client.handshake("127.0.0.1", listener.getsockname()[1])
        target, _ = listener.accept()
        target.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        target.close()
        with pytest.raises((ConnectionError, wire.ProtocolError)):
            assert client.recv() != b"", "a clean end for a reset"


@pytest.mark.parametrize("method", ["gssapi", "none"])
def test_an_end_before_a_reset_is_an_end(start_server, method):
    """The target has closed, and resets what comes after that: who reads directly has its octets and its end."""
    server = start_server(KIND, methods="gssapi,none")
    with socket.create_server(("127.0.0.1", 0)) as listener, connect(server) as client:
        if method == "gssapi":
            client.login()
        else:
            assert client.greet((wire.NONE,)) == wire.NONE
        client.request(*listener.getsockname())
        with listener.accept()[0] as target:
            client.send(b"first")
            assert target.recv(100) == b"first"
            server.process.send_signal(signal.SIGSTOP)
            client.send(b"crosses the end")
            target.sendall(b"bye")
        server.process.send_signal(signal.SIGCONT)
        assert client.recv_exact(3) == b"bye"
        assert client.await_end() == b""


def test_many_sessions_at_once(start_server, origin):
    """Three hundred open sessions, all alive, none mixed up."""
    running = start_server(KIND)
    clients = [connect(running).handshake("127.0.0.1", origin.ports["echo"]) for _ in range(300)]
    for number, client in enumerate(clients):
        client.send(b"%06d" % number)
    for number, client in enumerate(clients):
        assert client.recv_exact(6) == b"%06d" % number
        client.close()
    assert outcome(running, "127.0.0.1", free_port()) == wire.REFUSED
