"""When an association of socksd-gss ends, and what becomes of its last datagrams."""

import signal
import socket
import time

import pytest

from support import namespace, tls_stream
from support.process import HANG
from support.server_log import await_line
from support.servers import Tls
from support.socks_ssl_client import SocksSslClient
from support.udp_client import Association, associate


def test_ends_with_its_control_connection(start, udp_origin):
    server = start()
    with associate(server, "none") as association:
        association.nothing_before(b"data", "127.0.0.1", udp_origin.port)
        association.client.close()
        await_line(server, "closed by the client")
        with pytest.raises(ConnectionRefusedError):  # ICMP: nobody is there any more
            while True:
                association.raw(b"x")
                association.recv_raw()


@pytest.mark.parametrize("host", ["127.0.0.1", pytest.param("origin.test", marks=namespace.needed)])
@pytest.mark.parametrize("method", ["gssapi", "none", "ssl"])
def test_what_came_before_its_end_is_sent_on(start, pki, udp_origin, method, host):
    """Though the server sees both at once, and has to ask for the name first."""
    if method == "ssl":
        server = start("--ssl-udp-naked", methods="ssl", tls=Tls(pki))
        client = SocksSslClient((server.host, server.port)).login(tls_stream.client_context(pki.ca), naked=True)
        association = Association(client)
    else:
        server = start()
        association = associate(server, method)
    mark = udp_origin.mark()
    with association:
        server.process.send_signal(signal.SIGSTOP)
        for n in range(60):  # as many as may wait for a name
            association.send(b"last %d" % n, host, udp_origin.port)
        association.client.half_close()
        association.close()
        server.process.send_signal(signal.SIGCONT)
    for n in range(60):
        udp_origin.await_event("datagram", mark, head=f"last {n}")
    assert "60 datagrams of 410 octets up" in await_line(server, "closed by the client")


def test_ends_with_half_of_it_too(start):
    server = start()
    with associate(server) as association:
        association.client.half_close()
        assert association.client.await_end() == b""
    await_line(server, "closed by the client")


def test_a_bad_frame_on_it_ends_it(start):
    server = start()
    with associate(server) as association:
        association.client.raw(b"\1\3\0\4junk")
        assert association.client.await_end() == b""
    await_line(server, "no wrap token")


def test_octets_on_it_mean_nothing(start, udp_origin):
    with associate(start()) as association:
        association.client.send(b"nothing is due here")
        association.nothing_before(b"data", "127.0.0.1", udp_origin.port)


def test_ends_when_it_is_idle(start, udp_origin):
    server = start("--idle-timeout", "5")
    with associate(server) as association:
        association.nothing_before(b"data", "127.0.0.1", udp_origin.port)
        assert association.client.await_end() == b""
    assert "1 datagrams of 4 octets up, 1 datagrams of 4 octets down; idle" in await_line(server, "idle")


def test_sigterm_waits_for_it(start, udp_origin):
    server = start()
    with associate(server) as association:
        server.process.send_signal(signal.SIGTERM)
        with pytest.raises(ConnectionRefusedError):
            while True:  # until the listener is gone; each accepted one is closed at once
                socket.create_connection((server.host, server.port), HANG).close()
                time.sleep(0.01)
        association.nothing_before(b"data", "127.0.0.1", udp_origin.port)
    assert server.process.wait(HANG) == 0
