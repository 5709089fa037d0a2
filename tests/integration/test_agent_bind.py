"""socksify-gss-agent: listeners of BIND, asked for as the shim does, through real servers."""

import contextlib
import errno
import socket
import threading

import pytest

from support import payload
from support.agent import LISTEN, NOWHERE, WHO_IS, Agent, Channel
from support.process import HANG, free_port
from support.relay import read_to_end, reset
from support.servers import KINDS, Tls


class Listening(Channel):
    """With the application's listener. `accept` does as the shim."""

    def __init__(self, agent, host="127.0.0.1", backlog=16):
        self.listener = socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=backlog)
        self.listener.settimeout(HANG)
        super().__init__(agent, LISTEN, self.listener.getsockname())

    def __exit__(self, *_):
        self.listener.close()
        super().__exit__()

    def accept(self):
        """The connection, and what the agent says of it."""
        connection, stand_in = self.listener.accept()
        connection.settimeout(HANG)
        return connection, self.ask(WHO_IS, peer=stand_in)

    def await_bound(self):
        """Where the server listens by now."""
        while (state := self.state()).bound == NOWHERE:
            pass
        return state.bound


@pytest.fixture
def start_agent(socksify):
    """`start_agent(server, **settings)`. Each is seen to end by itself, without a word."""
    running = []

    def start(server, **settings):
        running.append(Agent(socksify.env(server, extra={f"SOCKSIFY_{k.upper()}": v for k, v in settings.items()})))
        return running[-1]

    yield start
    for agent in running:
        agent.control.close()
        agent.await_end()


@pytest.fixture(params=[(kind, method) for kind in KINDS for method in ("gssapi", "ssl", "none")], ids="-".join)
def server(request, start_server, pki):
    kind, method = request.param
    return start_server(kind, methods=method, **({"tls": Tls(pki)} if method == "ssl" else {}))


@pytest.fixture
def agent(server, start_agent):
    return start_agent(server, methods=server.client_env.get("SOCKSIFY_METHODS", "gssapi,none"))


def connect(bound):
    peer = socket.create_connection(bound, HANG)
    peer.settimeout(HANG)
    return peer


def test_accept_three_times(server, agent):
    with Listening(agent) as listening:
        bound = listening.asked.reply().bound
        for n in range(3):
            with connect(bound) as peer:
                connection, who = listening.accept()
                with connection:
                    assert (who.error, who.peer, who.bound) == (0, peer.getsockname(), bound)
                    peer.sendall(b"up %d" % n)
                    assert connection.recv(100) == b"up %d" % n
                    connection.sendall(b"down %d" % n)
                    assert peer.recv(100) == b"down %d" % n
                    assert listening.await_bound() == bound  # what peers know


def test_half_close_and_bulk(server, agent):
    """Either end may close its direction first; what comes behind that is whole."""
    up, down = payload.octets(3_000_000, "up"), payload.octets(3_000_000, "down")
    for first in (0, 1):
        with Listening(agent) as listening, connect(listening.asked.reply().bound) as peer:
            connection, _ = listening.accept()
            with connection:
                ends = [(peer, up), (connection, down)]
                for end, data in ends[first:] + ends[:first]:
                    other = connection if end is peer else peer
                    sending = threading.Thread(target=lambda e=end, d=data: (e.sendall(d), e.shutdown(socket.SHUT_WR)))
                    sending.start()
                    assert read_to_end(other) == (data, "EOF")
                    sending.join()


def test_what_the_peer_says_at_once(server, agent):
    """It may come together with the second reply."""
    with Listening(agent) as listening, connect(listening.asked.reply().bound) as peer:
        peer.sendall(b"220 ready\r\n")
        peer.shutdown(socket.SHUT_WR)
        connection, _ = listening.accept()
        with connection:
            assert read_to_end(connection) == (b"220 ready\r\n", "EOF")


def test_a_connection_outlives_its_listener_and_starter(server, agent):
    with Listening(agent) as listening:
        peer = connect(listening.asked.reply().bound)
        connection, _ = listening.accept()
    agent.control.close()
    with peer, connection:
        peer.sendall(b"still")
        assert connection.recv(10) == b"still"
        connection.sendall(b"here")
        assert peer.recv(10) == b"here"


def test_resets_pass(start_server, start_agent):
    agent = start_agent(start_server("socksd-gss"))
    for n in range(2):
        with Listening(agent) as listening, connect(listening.asked.reply().bound) as peer:
            connection, _ = listening.accept()
            with connection:
                ends = [peer, connection]
                ends[n].sendall(b"before")
                assert ends[1 - n].recv(10) == b"before"
                reset(ends[n])
                assert read_to_end(ends[1 - n]) == (b"", "ECONNRESET")


def test_a_session_that_breaks_is_no_end_of_file(start_server, start_agent):
    server = start_server("independent", faults=["alter@data", "frame-number=1", "plaintext=4"])
    with Listening(start_agent(server)) as listening, connect(listening.asked.reply().bound) as peer:
        connection, _ = listening.accept()
        with connection:
            peer.sendall(b"goodbad!")
            assert read_to_end(connection) == (b"good", "ECONNRESET")


def test_the_application_refuses(start_server, start_agent):
    """Whoever comes is sent away, and the server is asked again."""
    server = start_server("independent")
    with Listening(start_agent(server)) as listening:
        bound = listening.asked.reply().bound
        listening.listener.close()
        for _ in range(2):
            mark = server.mark()
            with connect(bound) as peer:
                assert read_to_end(peer) in ((b"", "ECONNRESET"), (b"", "EOF"))  # as the server has it
            server.await_event("listening", mark)


def test_the_listener_ends_with_its_channel(server, agent):
    with Listening(agent) as listening:
        bound = listening.asked.reply().bound
    with pytest.raises(ConnectionRefusedError):
        while True:  # until the server has seen it
            with contextlib.suppress(ConnectionResetError):  # it was closed under this connect
                connect(bound).close()


def test_who_is_nobody(server, agent):
    with Listening(agent) as listening, connect(listening.asked.reply().bound) as peer:
        own = listening.listener.getsockname()
        with socket.create_connection(own) as stranger:
            assert listening.ask(WHO_IS, peer=stranger.getsockname()).error == errno.ENOENT
        assert listening.ask(WHO_IS, peer=own).error == errno.ENOENT
        peer.sendall(b"x")


def test_a_connection_that_has_ended_is_known_until_it_is_asked_for(server, agent):
    with Listening(agent) as listening:
        peer = connect(listening.asked.reply().bound)
        connection, stand_in = listening.listener.accept()
        where = peer.getsockname()
        peer.close()
        assert read_to_end(connection) == (b"", "EOF")
        connection.close()
        while (reply := listening.ask(WHO_IS, peer=stand_in)).error == 0:
            assert reply.peer == where
        assert reply.error == errno.ENOENT


@pytest.mark.parametrize("kind", KINDS)
def test_ipv6(start_server, start_agent, kind):
    server = start_server(kind, listen="[::1]:0")
    with Listening(start_agent(server), "::1") as listening, connect(listening.asked.reply().bound) as peer:
        connection, who = listening.accept()
        with connection:
            assert who.peer == peer.getsockname()[:2] and who.bound == peer.getpeername()[:2]


@pytest.mark.parametrize("faults, expected", [(["rep=7"], errno.EOPNOTSUPP), (["rep=2"], errno.EACCES),
                                              (["close@reply"], errno.ECONNRESET), (["abort@level"], errno.EACCES)])
def test_failures(start_server, start_agent, faults, expected):
    server = start_server("independent", faults=faults)
    with Listening(start_agent(server)) as listening:
        reply = listening.asked.reply()
        assert reply.error == expected and server.address in reply.message, reply
        assert listening.socket.recv(1) == b""  # the channel is over


def test_no_server(start_agent):
    with Listening(start_agent(f"127.0.0.1:{free_port()}")) as listening:
        assert listening.asked.reply().error == errno.ECONNREFUSED


def test_a_second_reply_that_says_no(start_server, start_agent):
    """The server is asked again."""
    server = start_server("independent", faults=["rep-second=1"])
    with Listening(start_agent(server)) as listening:
        bound = listening.asked.reply().bound
        mark = server.mark()
        connect(bound).close()
        server.await_event("listening", mark)
        assert listening.await_bound() == bound


def test_listening_has_no_deadline(independent, start_agent):
    with Listening(start_agent(independent, timeout="5")) as listening:
        bound = listening.asked.reply().bound
        with pytest.raises(TimeoutError):
            listening.listener.settimeout(5.5)
            listening.listener.accept()
        assert listening.state().bound == bound
        connect(bound).close()
        listening.listener.settimeout(HANG)
        listening.accept()[0].close()
