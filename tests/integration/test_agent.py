"""socksify-gss-agent: UDP associations, asked for as the shim does, through real servers."""

import contextlib
import errno
import socket
import time

import pytest

from support import payload
from support.agent import MOVED, WHO_IS, Agent, Association
from support.process import HANG, free_port
from support.servers import KINDS, Tls

KRB5_OVERHEAD = {"integrity": 28, "confidentiality": 60}


@pytest.fixture
def start_agent(socksify):
    """`start_agent(server, **settings)`. Each is seen to end by itself, without a word."""
    running = []

    def start(server, level="confidentiality", **settings):
        running.append(Agent(socksify.env(server, level, {f"SOCKSIFY_{k.upper()}": v for k, v in settings.items()})))
        return running[-1]

    yield start
    for agent in running:
        agent.control.close()
        agent.await_end()


@pytest.fixture(params=KINDS)
def server(request, long_lived):
    yield long_lived(request.param)
    long_lived(request.param)


@pytest.fixture
def agent(server, start_agent):
    return start_agent(server)


@pytest.fixture
def here(udp_origin):
    return "127.0.0.1", udp_origin.port


def echo(association, data, *peer, whose=None):
    association.send(data, *peer)
    assert association.receive() == (data, whose or peer)


def expect_it_is_told_again(association, reply, *peer):
    """A failure is the state for a tenth of a second; whoever asks later tries anew."""
    deadline = time.monotonic() + HANG
    while (state := association.state()) != reply:
        assert time.monotonic() < deadline, state
        assert association.reach(*peer) == reply


# --- datagrams ---

@pytest.mark.parametrize("level", KRB5_OVERHEAD)
def test_both_ways(server, start_agent, here, level):
    with Association(start_agent(server, level)) as association:
        reply = association.reach(*here)
        assert (reply.error, reply.stand_in[0]) == (0, "127.0.0.1")
        assert reply.max_data == 65507 - 4 - KRB5_OVERHEAD[level] - 10
        assert reply.bound[0] == "127.0.0.1" and reply.bound == association.state().bound
        for size in (1, 0, 1000, 9000, 60000, reply.max_data):
            echo(association, payload.octets(size), *here)
        association.send(bytes(reply.max_data + 1), *here)  # dropped: it is the library that says EMSGSIZE
        echo(association, b"after", *here)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", ["ssl", "none"])
def test_other_methods(start_server, start_agent, pki, here, method, kind):
    options = {"tls": Tls(pki), "options": ["--ssl-udp-naked"]} if method == "ssl" else {}
    server = start_server(kind, methods=method, **options)
    with Association(start_agent(server, methods=method, ssl_udp_naked="1")) as association:
        assert association.reach(*here).max_data == 65507 - 10
        for size in (0, 1, 65497):
            echo(association, payload.octets(size), *here)


@pytest.mark.parametrize("kind", KINDS)
def test_ssl_without_datagrams_in_clear(start_server, start_agent, pki, here, kind):
    server = start_server(kind, methods="ssl", tls=Tls(pki), options=["--ssl-udp-naked"])
    with Association(start_agent(server)) as association:
        reply = association.reach(*here)
        assert reply.error == errno.EACCES and "ssl-udp-naked" in reply.message
        expect_it_is_told_again(association, reply, *here)


def test_ipv6(agent, udp_origin):
    with Association(agent, "::1") as association:
        assert association.reach("::1", udp_origin.port).stand_in[0] == "::1"
        echo(association, b"six", "::1", udp_origin.port)
        echo(association, b"four", "127.0.0.1", udp_origin.port)


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_a_socket_that_is_bound_to_no_address(agent, udp_origin, host):
    with Association(agent, host) as association:
        echo(association, b"any", "127.0.0.1", udp_origin.port)


def test_many_peers(agent, udp_origin):
    """Each answers on its own, and its answers are its own."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, Association(agent) as association:
        peers = [("127.0.0.1", udp_origin.port), ("::1", udp_origin.port)]
        ends = []
        for n in range(2, 52):
            end = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            end.bind((f"127.0.0.{n}", 0))
            end.settimeout(HANG)
            ends.append(end)
            peers.append(end.getsockname())
        for n, end in enumerate(ends):
            association.send(b"to %d" % n, *end.getsockname())
        for n, end in enumerate(ends):
            data, source = end.recvfrom(100)
            assert data == b"to %d" % n
            end.sendto(b"from %d" % n, source)
        came = dict(association.receive()[::-1] for _ in ends)
        assert came == {end.getsockname(): b"from %d" % n for n, end in enumerate(ends)}
        assert len(set(association.stand_ins.values())) == len(ends)
        for end in ends:
            end.close()
        assert probe is not None


def test_in_order_and_whole_in_bulk(agent, here):
    """On loopback nothing is lost that both ends keep up with."""
    with Association(agent) as association:
        for n in range(50):
            sent = [b"%d.%d " % (n, i) + payload.octets(100 * i) for i in range(20)]
            for data in sent:
                association.send(data, *here)
            assert [association.receive()[0] for _ in sent] == sent


def test_datagrams_wait_for_the_association(agent, here):
    with Association(agent) as association:
        reply = association.reach(*here, wait=False)
        assert (reply.error, reply.max_data) == (0, 0)
        sent = [b"%d" % n for n in range(50)]
        for data in sent:
            association.send(data, *here)
        assert [association.receive() for _ in sent] == [(data, here) for data in sent]


def test_a_connected_socket(agent, here):
    with Association(agent) as association:
        association.udp.connect(association.reach(*here).stand_in)
        association.udp.send(b"connected")
        assert association.udp.recv(100) == b"connected"


def test_nobody_else_may_use_a_stand_in(agent, here):
    with Association(agent) as association, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.connect(association.reach(*here).stand_in)
        other.send(b"not mine")
        other.settimeout(HANG)
        with pytest.raises(ConnectionRefusedError):
            other.recv(10)
        echo(association, b"mine", *here)


def test_moved(agent, here):
    with Association(agent) as association:
        echo(association, b"before", *here)
        association.udp.close()
        association.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        association.udp.bind(("127.0.0.1", 0))
        association.udp.settimeout(HANG)
        assert association.ask(MOVED, own=association.udp.getsockname()).error == 0
        echo(association, b"after", *here)
        for nowhere in (("127.0.0.1", 0), ("name", 1)):
            assert association.ask(MOVED, own=nowhere).error == errno.EINVAL
        echo(association, b"still there", *here)


def test_the_log(independent, start_agent, here, tmp_path):
    log = tmp_path / "log"
    with Association(start_agent(independent, log="info", log_file=str(log))) as association:
        bound = association.reach(*here).bound
    assert f"socksify-gss-agent: datagrams are relayed by {independent.address} at {bound[0]}:{bound[1]}" in log.read_text()


# --- whose they are ---

@pytest.mark.parametrize("kind", KINDS)
def test_a_name_that_is_answered_by_name(start_server, start_agent, udp_origin, kind):
    server = start_server(kind, faults=["name-source"] if kind == "independent" else [])
    with Association(start_agent(server)) as association:
        for n in range(3):
            echo(association, b"by name %d" % n, "origin.test", udp_origin.port)
        assert association.reach("127.0.0.1", udp_origin.port).stand_in != association.stand_ins["origin.test", udp_origin.port]


def test_a_name_that_is_answered_by_address(independent, start_agent, udp_origin):
    with Association(start_agent(independent)) as association:
        for n in range(3):
            echo(association, b"%d" % n, "origin.test", udp_origin.port)
        # Once it is known where that is, another source is not it.
        assert association.reach("other.test", udp_origin.port).error == 0
        echo(association, b"again", "origin.test", udp_origin.port)
        # Who asks for the address has it, and not the name.
        mark = independent.mark()
        echo(association, b"by address", "127.0.0.1", udp_origin.port)
        independent.await_event("up", mark, atyp=1)


def test_an_address_that_may_be_either_name(independent, start_agent, udp_origin):
    with Association(start_agent(independent)) as association:
        assert association.reach("other.test", udp_origin.port).error == 0
        echo(association, b"whose?", "origin.test", udp_origin.port, whose=("127.0.0.1", udp_origin.port))


def test_an_unknown_source(independent, start_agent, here):
    """It is a peer of its own, and can be answered."""
    with Association(start_agent(independent)) as association:
        association.send(b"#other", *here)
        data, whose = association.receive()
        assert data == b"#other" and whose[0] == "127.0.0.1" and whose[1] != here[1]
        stand_in = association.reach(*whose).stand_in
        association.send(b"#other", *here)
        assert association.udp.recvfrom(100) == (b"#other", stand_in)
        assert association.reach(*here).stand_in != stand_in


def test_a_crowd_of_unknown_sources(independent, start_agent):
    """It takes no stand-in from who was asked for, and whose they are is told also of those that had to go."""
    with contextlib.ExitStack() as stack:
        ends = []
        for _ in range(600):
            ends.append(stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)))
            ends[-1].bind(("127.0.0.1", 0))
            ends[-1].settimeout(HANG)
        association = stack.enter_context(Association(start_agent(independent)))
        association.send(b"hello", *ends[0].getsockname())
        data, server = ends[0].recvfrom(100)
        for n, end in enumerate(ends):
            end.sendto(b"%d" % n, server)
            data, stand_in = association.udp.recvfrom(100)
            assert data == b"%d" % n
            if n % 7 == 0:
                association.udp.sendto(b"back", stand_in)
                assert end.recv(100) == b"back"
            ends[n] = (end, stand_in)
        for end, stand_in in ends:
            assert association.ask(WHO_IS, peer=stand_in).peer == end.getsockname()
        association.send(b"still", *ends[0][0].getsockname())
        assert ends[0][0].recv(100) == b"still"


def test_who_is_nobody(agent, here):
    with Association(agent) as association:
        stand_in = association.reach(*here).stand_in
        for address in ((stand_in[0], free_port(kind=socket.SOCK_DGRAM)), ("127.0.0.2", stand_in[1]), ("::1", 1), ("name", 1)):
            assert association.ask(WHO_IS, peer=address).error == errno.ENOENT, address
