"""The independent client and server of UDP ASSOCIATE and BIND agree: what the other tests are measured by."""

import socket

import pytest

from support import payload, tls_stream, wire
from support.servers import Tls
from support.socks_gss_client import Refused, SocksGssClient
from support.socks_ssl_client import SocksSslClient
from support.udp_client import Association, unordered_context

LEVELS = {"integrity": wire.INTEGRITY, "confidentiality": wire.CONFIDENTIALITY}


def associate(server, level=wire.CONFIDENTIALITY, **how):
    client = SocksGssClient((server.host, server.port)).login(level, unordered_context())
    return Association(client, **how)


@pytest.mark.parametrize("level", LEVELS)
def test_echo(independent, udp_origin, level):
    with associate(independent, LEVELS[level]) as association:
        for size in (0, 1, 1000, 60000):
            data = payload.octets(size)
            association.send(data, "127.0.0.1", udp_origin.port)
            assert association.recv() == ("127.0.0.1", udp_origin.port, data)


def test_on_the_wire(independent, udp_origin):
    with associate(independent) as association:
        datagram = association.datagram(payload.MARKER, "127.0.0.1", udp_origin.port)
        assert datagram[:2] == b"\x01\x03" and len(datagram) == 4 + int.from_bytes(datagram[2:4], "big")
        assert payload.MARKER not in datagram
        association.raw(datagram)
        answer = association.recv_raw()
        assert answer[:2] == b"\x01\x03" and payload.MARKER not in answer
        assert association.open(answer)[2] == payload.MARKER


def test_reordered_and_lost_ones_are_opened(independent, udp_origin):
    with associate(independent) as association:
        first, _, third = (association.datagram(b"%d" % n, "127.0.0.1", udp_origin.port) for n in range(3))
        association.raw(third)
        association.raw(first)
        assert [association.recv()[2], association.recv()[2]] == [b"2", b"0"]


@pytest.mark.parametrize("change", ["replay", "plain", "altered", "cut", "fragment"])
def test_what_is_wrong_is_dropped(independent, udp_origin, change):
    mark = independent.mark()
    to = ("127.0.0.1", udp_origin.port)
    with associate(independent) as association:
        good = association.datagram(b"good", *to)
        association.raw(good)
        assert association.recv()[2] == b"good"
        association.raw({"replay": good, "plain": wire.encode_datagram(*to, b"bad"), "altered": good[:-1] + b"?",
                         "cut": good[:20], "fragment": association.datagram(b"bad", *to, fragment=1)}[change])
        association.nothing_before(b"after", *to)
    independent.await_event("dropped", mark)


@pytest.mark.parametrize("fault", ["alter@data", "plain", "huge", "long", "fragment", "mtyp@data=02", "cut@data=10",
                                   "conf-false@data", "replay"])
def test_faults_are_committed(start_server, udp_origin, fault):
    server = start_server("independent", faults=[fault, "frame-number=0"])
    with associate(server) as association:
        association.send(b"first", "127.0.0.1", udp_origin.port)
        if fault == "replay":
            association.recv()
        with pytest.raises((wire.ProtocolError, AssertionError)):
            association.recv()
        association.nothing_before(b"second", "127.0.0.1", udp_origin.port)


def test_names_and_other_ports(start_server, udp_origin):
    server = start_server("independent", faults=["name-source"])
    with associate(server) as association:
        association.send(b"by name", "origin.test", udp_origin.port)
        assert association.recv() == ("origin.test", udp_origin.port, b"by name")
        association.send(b"#other", "origin.test", udp_origin.port)
        host, port, _ = association.recv()
        assert host == "127.0.0.1" and port != udp_origin.port


def test_the_end_of_the_association(start_server, udp_origin):
    server = start_server("independent", faults=["end-after=1"])
    with associate(server) as association:
        association.send(b"last", "127.0.0.1", udp_origin.port)
        assert association.client.await_end() == b""


def test_loss(start_server, udp_origin):
    """Every second one, each way: of five two are lost going up, and one of the three coming down."""
    server = start_server("independent", faults=["lose=2"])
    with associate(server) as association:
        for n in range(5):
            association.send(b"%d" % n, "127.0.0.1", udp_origin.port)
        assert [association.recv()[2] for _ in range(2)] == [b"0", b"4"]


def test_order(start_server, udp_origin):
    server = start_server("independent", faults=["swap=2"])
    with associate(server) as association:
        for n in range(3):
            association.send(b"%d" % n, "127.0.0.1", udp_origin.port)
        assert [association.recv()[2] for _ in range(3)] == [b"0", b"1", b"2"]  # swapped twice


def test_refused(start_server):
    server = start_server("independent", faults=["rep=7"])
    with pytest.raises(Refused, match="REP 07"):
        associate(server)


@pytest.mark.parametrize("naked", [False, True])
def test_ssl(start_server, pki, udp_origin, naked):
    """UDP-Naked is for both to want."""
    server = start_server("independent", methods="ssl", tls=Tls(pki), options=["--ssl-udp-naked"])
    with SocksSslClient((server.host, server.port)) as client:
        client.login(tls_stream.client_context(pki.ca), naked=naked)
        if not naked:
            with pytest.raises(Refused, match="REP 07"):
                Association(client)
            return
        with Association(client) as association:
            association.send(b"in clear", "127.0.0.1", udp_origin.port)
            assert association.recv() == ("127.0.0.1", udp_origin.port, b"in clear")


def test_bind(independent):
    with SocksGssClient((independent.host, independent.port)).login() as client:
        host, port = client.request("0.0.0.0", 0, command=wire.BIND)
        with socket.create_connection((host, port), 10) as peer:
            assert client.read_reply() == peer.getsockname()
            client.send(b"to the peer")
            assert peer.recv(100) == b"to the peer"
            peer.sendall(b"from the peer")
            peer.shutdown(socket.SHUT_WR)
            assert client.recv_all() == b"from the peer"
