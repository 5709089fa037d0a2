"""UDP ASSOCIATE by socksd-gss: what it relays, for whom, and what it drops."""

import contextlib
import socket
import time

import pytest

from support import namespace, payload, tls_stream, wire
from support.process import HANG
from support.server_log import await_line
from support.servers import Tls
from support.socks_gss_client import Refused, SocksGssClient
from support.socks_ssl_client import SocksSslClient
from support.udp_client import Association, associate, login

METHODS = ("gssapi", "none")
LEVELS = {"integrity": wire.INTEGRITY, "confidentiality": wire.CONFIDENTIALITY}
NO_NAME = "x" * 64 + ".test"  # a label that no name server can be asked for


def refusal(client, host="0.0.0.0", port=0):
    with client, pytest.raises(Refused) as refused:
        client.request(host, port, command=wire.UDP_ASSOCIATE)
    return refused.value.code


@contextlib.contextmanager
def target(host="127.0.0.1", port=0):
    """A socket that nobody answers for."""
    with socket.socket(wire.family(host), socket.SOCK_DGRAM) as made:
        made.settimeout(HANG)
        made.bind((host, port))
        yield made


def received(end, last=b"after"):
    """All that has come to it, up to the last."""
    came = []
    while not came or came[-1] != last:
        came.append(end.recv(100))
    return came


# --- relaying ---


@pytest.mark.parametrize("level", LEVELS)
def test_echo_at_each_level(start, udp_origin, level):
    with associate(start(), level=LEVELS[level]) as association:
        for size in (0, 1, 1472, 9000, 60000):
            data = payload.octets(size)
            association.send(data, "127.0.0.1", udp_origin.port)
            assert association.recv() == ("127.0.0.1", udp_origin.port, data)


def test_echo_in_clear(start, udp_origin):
    with associate(start(), "none") as association:
        association.raw(wire.encode_datagram("127.0.0.1", udp_origin.port, b"data"))
        assert association.recv_raw() == wire.encode_datagram("127.0.0.1", udp_origin.port, b"data")


def test_many_at_a_time_and_both_families(start, udp_origin):
    with associate(start(), "none") as association:
        wanted = [("127.0.0.1" if n % 2 else "::1", udp_origin.port, b"%d" % n) for n in range(100)]
        for host, port, data in wanted:
            association.send(data, host, port)
        assert sorted(association.recv() for _ in wanted) == sorted(wanted)


def test_over_ipv6(start, udp_origin):
    with associate(start(listen="[::1]:0")) as association:
        assert association.relay[0] == "::1"
        for host in ("127.0.0.1", "::1"):
            association.send(b"data", host, udp_origin.port)
            assert association.recv() == (host, udp_origin.port, b"data")


def test_the_relay_is_where_the_client_has_connected_to(start, udp_origin):
    """A server with many addresses answers from the one that the client knows."""
    server = start(listen="0.0.0.0:0")
    for address in ("127.0.0.1", "127.0.0.9"):
        with SocksGssClient((address, server.port)) as client:
            assert client.greet((wire.NONE,)) == wire.NONE
            with Association(client) as association:
                assert association.relay[0] == address
                association.send(b"data", "127.0.0.1", udp_origin.port)
                assert association.recv()[2] == b"data"


@namespace.needed
@pytest.mark.parametrize("method", METHODS)
def test_a_reply_carries_the_name_that_was_asked_for(start, udp_origin, method):
    with associate(start(), method) as association:
        for n in range(20):  # the first ones wait for the name
            association.send(b"%d" % n, "origin.test", udp_origin.port)
        # As many wait as one name may keep waiting.
        replies = [association.recv() for _ in range(16)]
        assert {reply[:2] for reply in replies} == {("origin.test", udp_origin.port)}
        assert {reply[2] for reply in replies} >= {b"%d" % n for n in range(16)}
        assert source_of_reply(association, b"by address", "127.0.0.1", udp_origin.port) == "127.0.0.1"
        assert source_of_reply(association, b"by name", "origin.test", udp_origin.port) == "origin.test"
        assert source_of_reply(association, b"in text", "127.0.0.1", udp_origin.port, atyp=3) == "127.0.0.1"


def source_of_reply(association, data, host, port, atyp=None):
    association.send(data, host, port, atyp)
    while True:
        source, _, came = association.recv()
        if came == data:
            return source


def test_a_name_that_nobody_knows(start, udp_origin):
    server = start()
    with associate(server, "none") as association:
        association.send(b"x", NO_NAME, udp_origin.port)
        association.nothing_before(b"after", "127.0.0.1", udp_origin.port)
        # Known or not, others do not wait for it.
        for n in range(300):
            association.send(b"x", f"n{n}.{NO_NAME}", udp_origin.port)
        association.nothing_before(b"after", "127.0.0.1", udp_origin.port)
    await_line(server, "unresolved")


def test_what_does_not_fit_one_datagram_is_dropped(start, udp_origin):
    server = start()
    with associate(server) as association:
        overhead = 4 + 60 + 10
        for size, fits in ((65507 - overhead, True), (65507 - overhead + 1, False), (65507, False)):
            association.send(b"#%d" % size, "127.0.0.1", udp_origin.port)
            if fits:
                assert len(association.recv()[2]) == size
            else:
                association.nothing_before(b"after", "127.0.0.1", udp_origin.port)
        # The most that the client itself can send, and that comes back.
        data = payload.octets(65433)
        association.send(data, "127.0.0.1", udp_origin.port)
        assert association.recv()[2] == data
    await_line(server, "2 too large")


def test_no_answer_is_no_error(start, udp_origin):
    """A port where nobody is."""
    with target() as nobody:
        port = nobody.getsockname()[1]
    with associate(start(), "none") as association:
        for _ in range(3):
            association.send(b"x", "127.0.0.1", port)
        association.send(b"x", "127.0.0.1", 0)
        association.nothing_before(b"after", "127.0.0.1", udp_origin.port)


# --- who is heard ---


@pytest.mark.parametrize("change", ["replay", "altered", "plain", "cut", "longer", "fragment", "reserved", "atyp", "empty",
                                    "integrity", "ours"])
@pytest.mark.parametrize("ordered", [False, True])
def test_what_the_session_does_not_protect_is_dropped(start, change, ordered):
    server = start()
    context = SocksGssClient.new_context() if ordered else None
    with associate(server, context=context) as association, target() as end:
        to = end.getsockname()
        good = association.datagram(b"good", *to)
        association.raw(good)
        end.sendto(b"reply", end.recvfrom(100)[1])
        reply = association.recv_raw()
        plain = wire.encode_datagram(*to, b"bad")
        association.raw({
            "replay": lambda: good,
            "altered": lambda: good[:-1] + bytes([good[-1] ^ 1]),
            "plain": lambda: plain,
            "cut": lambda: good[:30],
            "longer": lambda: good + b"x",
            "fragment": lambda: association.datagram(b"bad", *to, fragment=1),
            "reserved": lambda: association.seal(b"\1" + plain[1:]),
            "atyp": lambda: association.seal(plain[:3] + b"\2" + plain[4:]),
            "empty": lambda: b"",
            "integrity": lambda: association.client.gss.seal(plain, wire.INTEGRITY),
            "ours": lambda: reply,
        }[change]())
        association.send(b"after", *to)
        assert received(end) == [b"after"]
    await_line(server, "dropped: 1 bad")


@pytest.mark.parametrize("ordered", [False, True])
def test_gaps_and_any_order_are_taken_but_nothing_twice(start, ordered):
    server = start()
    context = SocksGssClient.new_context() if ordered else None
    with associate(server, context=context) as association, target() as end:
        to = end.getsockname()
        sealed = [association.datagram(b"n%d" % n, *to) for n in range(1200)]
        order = [3, 1, 60, 40, 0, 59, 1199, 1198, 1150, 1, 3, 60, 1199, 1150]
        for n in order:
            association.raw(sealed[n])
        association.raw(sealed[5])  # too late to be told from a repeated one
        association.send(b"after", *to)
        assert received(end) == [b"n%d" % n for n in order[:9]] + [b"after"]
    await_line(server, "6 bad")


@pytest.mark.parametrize("method", METHODS)
def test_one_port_of_the_client_is_heard(start, method):
    """The first that sends what the session protects; nobody else, also of the same host."""
    server = start()
    with associate(server, method) as association, association.new_socket() as other, target() as end:
        to = end.getsockname()
        if method == "gssapi":
            other.sendto(wire.encode_datagram(*to, b"not sealed"), association.relay)
        association.send(b"first", *to)
        data, outside = end.recvfrom(100)
        assert data == b"first"
        stolen = association.datagram(b"stolen", *to)
        other.sendto(stolen, association.relay)
        association.send(b"after", *to)
        assert received(end) == [b"after"]
        association.raw(stolen)  # has not been spent by whoever sent it first
        assert received(end, b"stolen") == [b"stolen"]
        end.sendto(b"reply", outside)
        assert association.recv()[2] == b"reply"
        other.setblocking(False)
        with pytest.raises(BlockingIOError):
            other.recv(1)
    await_line(server, "1 not from the client")


def test_the_port_that_the_request_names_is_the_one(start, udp_origin):
    server = start()
    to = ("127.0.0.1", udp_origin.port)
    for host in ("0.0.0.0", "127.0.0.1"):
        with target() as mine, associate(server, "none", host=host, port=mine.getsockname()[1]) as association:
            association.send(b"from another port", *to)
            mine.connect(association.relay)
            mine.send(wire.encode_datagram(*to, b"data"))
            assert wire.decode_datagram(mine.recv(100))[1:] == (*to, b"data")
    # Behind a translator of addresses the client does not know its own.
    with associate(server, "none", host="10.1.2.3", port=4) as association:
        association.nothing_before(b"data", *to)


def test_another_host_is_not_the_client(start, udp_origin):
    server = start(listen="0.0.0.0:0")
    with associate(server, "none") as association, target("127.0.0.7") as other:
        other.sendto(wire.encode_datagram("127.0.0.1", udp_origin.port, b"data"), association.relay)
        association.nothing_before(b"after", "127.0.0.1", udp_origin.port)
    await_line(server, "1 not from the client")


# --- who is answered, and sent to ---


def test_only_those_that_were_sent_to_may_answer(start, udp_origin):
    server = start()
    with associate(server, "none") as association, target() as known, target() as stranger:
        association.send(b"x", *known.getsockname())
        _, outside = known.recvfrom(100)
        stranger.sendto(b"unasked", outside)
        known.sendto(b"asked", outside)
        assert association.recv() == (*known.getsockname(), b"asked")
        association.send(b"#other", "127.0.0.1", udp_origin.port)  # answers from another port
        association.nothing_before(b"after", "127.0.0.1", udp_origin.port)
    await_line(server, "2 unasked for")


def test_a_rule_lets_others_answer(start):
    server = start("--udp-from", "127.0.0.5")
    with associate(server, "none") as association, target() as known, target("127.0.0.5") as friend, \
            target("127.0.0.6") as stranger:
        association.send(b"x", *known.getsockname())
        outside = known.recvfrom(100)[1]
        stranger.sendto(b"unasked", outside)
        friend.sendto(b"hello", outside)
        assert association.recv() == (*friend.getsockname(), b"hello")


def test_the_targets_that_are_remembered_are_bounded(start):
    """1024 of them; the one that was sent to longest ago is forgotten."""
    server = start()
    with associate(server, "none") as association, target() as first, target() as second:
        association.send(b"x", *first.getsockname())
        outside = first.recvfrom(100)[1]
        association.send(b"x", *second.getsockname())
        second.recvfrom(100)
        with target() as last:
            for n in range(1022):
                association.send(b"x", f"127.9.{n // 250}.{n % 250 + 1}", 9)
                if n % 50 == 0:  # no more under way than the kernel has room for
                    association.send(b"x", *second.getsockname())
                    second.recvfrom(100)
            association.send(b"x", *last.getsockname())
            last.recvfrom(100)
        first.sendto(b"forgotten", outside)
        second.sendto(b"remembered", outside)
        assert association.recv() == (*second.getsockname(), b"remembered")


@pytest.mark.parametrize("rules, host, allowed", [
    (["--deny", "127.0.0.0/8"], "127.0.0.1", False),
    (["--allow", "127.0.0.0/8:{port}"], "127.0.0.1", True),
    (["--allow", "127.0.0.0/8:1-9"], "127.0.0.1", False),
    (["--deny", "127.0.0.0/8", "--allow", "0.0.0.0/0", "--allow", "::/0"], "0.0.0.0", False),  # which is this host
    (["--deny", "127.0.0.0/8", "--allow", "::/0"], "::ffff:127.0.0.1", False),
    (["--allow", ".test"], "origin.test", True),
    (["--allow", "127.0.0.0/8"], "origin.test", True),
    (["--deny", ".test", "--allow", "0.0.0.0/0"], "origin.test", False),
    (["--deny", "127.0.0.0/8", "--allow", ".test"], "origin.test", False),
    (["--allow", ".test"], "127.0.0.1", False),
], ids=lambda v: "_".join(v) if isinstance(v, list) else None)
def test_rules(start, rules, host, allowed):
    with target() as end:
        port = end.getsockname()[1]
        server = start("--log", "debug", *[word.format(port=port) for word in rules])
        if host == "origin.test" and server.target != host:
            pytest.skip("no mount namespace, so no names")
        with associate(server, "none") as association:
            association.send(b"by rule", host, port)
            if allowed:
                assert received(end, b"by rule") == [b"by rule"]
                return
            await_line(server, "dropped: denied")
        await_line(server, "0 datagrams of 0 octets up")
        end.setblocking(False)
        with pytest.raises(BlockingIOError):
            end.recv(1)


@namespace.needed
def test_what_a_name_may_is_not_what_its_address_may(start, udp_origin):
    """Though the address is known by then."""
    server = start("--allow", ".test")
    with associate(server, "none") as association:
        association.nothing_before(b"by name", "origin.test", udp_origin.port)
        association.send(b"by address", "127.0.0.1", udp_origin.port)
        association.nothing_before(b"after", "origin.test", udp_origin.port)
    await_line(server, "1 denied")


# --- many ---


def test_who_does_not_read_delays_nobody(start, udp_origin):
    server = start("--threads", "1")
    with associate(server) as slow, associate(server) as other:
        for n in range(200):
            slow.send(b"#60000", "127.0.0.1", udp_origin.port)
            if n % 20 == 0:
                other.nothing_before(b"%d" % n, "127.0.0.1", udp_origin.port)


def test_a_thousand_at_once(start, udp_origin):
    with contextlib.ExitStack() as stack:
        server = start()
        all_of_them = [stack.enter_context(associate(server, "none")) for _ in range(1000)]
        for n, association in enumerate(all_of_them):
            association.send(b"%d" % n, "127.0.0.1", udp_origin.port)
            assert association.recv()[2] == b"%d" % n
        for n, association in enumerate(all_of_them):
            association.nothing_before(b"again %d" % n, "127.0.0.1", udp_origin.port)


def granted(server):
    """As soon as what another had is given back."""
    deadline = time.monotonic() + HANG
    while time.monotonic() < deadline:
        with contextlib.suppress(Refused):
            return associate(server)
    raise TimeoutError("never granted")


def test_so_many_ports_of_one_client(start, udp_origin):
    server = start("--max-ports", "2")
    with associate(server) as first, associate(server):
        assert refusal(login(server)) == wire.GENERAL_FAILURE
        first.close()
        await_line(server, "closed by the client")
        with granted(server) as third:
            third.nothing_before(b"data", "127.0.0.1", udp_origin.port)


# --- methods ---


def test_a_session_without_order_is_for_datagrams(start, origin):
    server = start()
    for command in (wire.CONNECT, wire.BIND):
        with login(server) as client, pytest.raises(Refused, match="REP 07"):
            client.request("127.0.0.1", origin.ports["echo"], command=command)


@pytest.mark.parametrize("server_agrees", [False, True])
@pytest.mark.parametrize("client_agrees", [False, True])
def test_under_ssl_only_where_both_agree_to_send_in_clear(start, pki, udp_origin, server_agrees, client_agrees):
    server = start(*(["--ssl-udp-naked"] if server_agrees else []), methods="ssl", tls=Tls(pki))
    client = SocksSslClient((server.host, server.port)).login(tls_stream.client_context(pki.ca), naked=client_agrees)
    if not (server_agrees and client_agrees):
        assert refusal(client) == wire.BAD_COMMAND
        return
    with Association(client) as association:
        association.nothing_before(b"in clear", "127.0.0.1", udp_origin.port)
        client.half_close()  # close_notify
        client.await_end()
    await_line(server, "closed by the client")
