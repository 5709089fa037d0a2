"""The independent client and server of the SSL method against each other: what the other tests of it are measured by."""

import ssl

import pytest

from support import chap, payload, tls_stream, wire
from support.payload import echo_through
from support.servers import Tls
from support.socks_ssl_client import SocksSslClient

USER = ("alice", "wonderland")


def connect(server, **more):
    return SocksSslClient((server.host, server.port), **more)


@pytest.mark.parametrize("frame", [1, 7, 65535])
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_echo(start_server, origin, pki, version, frame):
    server = start_server("independent", methods="ssl", tls=Tls(pki), options=["--tls-version", version, f"--frame={frame}"])
    with connect(server, frame=frame) as client:
        echo_through(client.handshake("origin.test", origin.ports["echo"], tls_stream.client_context(pki.ca)), 50_000)
        assert client.stream.tls.version() == f"TLSv{version}"
        assert client.stream.states == [1, 2, 3, 4]


@pytest.mark.parametrize("method", [wire.USERPASS, wire.CHAP])
def test_subauthentication(start_server, origin, pki, method):
    server = start_server("independent", methods="ssl", tls=Tls(pki, subauth="userpass,chap"), user=":".join(USER))
    context = tls_stream.client_context(pki.ca)
    with connect(server) as client:
        echo_through(client.handshake("127.0.0.1", origin.ports["echo"], context, user=USER, subauth=method), 1000)
    with connect(server) as client, pytest.raises(wire.ProtocolError):
        client.handshake("127.0.0.1", origin.ports["echo"], context, user=("alice", "wrong"), subauth=method)
    with connect(server) as client, pytest.raises(wire.Closed):  # the orderly end, for want of subauthentication
        client.handshake("127.0.0.1", origin.ports["echo"], context)


@pytest.mark.parametrize("faults", [[], ["chap-two"], ["chap-no-mutual"], ["chap-impostor"]], ids=" ".join)
def test_chap_by_itself(start_server, origin, faults):
    server = start_server("independent", methods="chap", user=":".join(USER), faults=faults)
    with connect(server) as client:
        assert client.greet((wire.CHAP,)) == wire.CHAP
        if faults in (["chap-no-mutual"], ["chap-impostor"]):
            with pytest.raises(wire.ProtocolError):
                client.chap(*USER, mutual=True)
            return
        client.chap(*USER, mutual=True)
        client.request("127.0.0.1", origin.ports["echo"])
        client.send(b"hello")
        assert client.recv_exact(5) == b"hello"


def test_hmac_md5():
    """RFC 2202, test case 2."""
    assert chap.response(b"Jefe", b"what do ya want for nothing?").hex() == "750c783e6ab0b503eaa86e310a5db738"


def test_certificates(start_server, origin, pki):
    server = start_server("independent", methods="ssl", tls=Tls(pki, client_ca=pki.ca))
    with connect(server) as client:
        mark = server.mark()
        client.handshake("127.0.0.1", origin.ports["echo"], tls_stream.client_context(pki.ca, pki["client"]))
        assert server.await_event("tls", mark)["client"] == "alice"
    for identity in (None, pki["other-client"]):
        with connect(server) as client, pytest.raises((ssl.SSLError, ConnectionError)):
            client.handshake("127.0.0.1", origin.ports["echo"], tls_stream.client_context(pki.ca, identity))
    for ca, name in ((pki.other_ca, "127.0.0.1"), (pki.ca, "elsewhere.test")):
        with connect(server) as client, pytest.raises(ssl.SSLCertVerificationError):
            context = tls_stream.client_context(ca, pki["client"])
            client.handshake("127.0.0.1", origin.ports["echo"], context, server_name=name)


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_resumption(start_server, origin, pki, version):
    server = start_server("independent", methods="ssl", tls=Tls(pki), options=["--tls-version", version])
    context, session = tls_stream.client_context(pki.ca), None
    for resumed in (False, True):
        with connect(server) as client:
            client.handshake("127.0.0.1", origin.ports["echo"], context, session=session)
            echo_through(client, 1000)
            assert client.stream.tls.session_reused == resumed
            session = client.stream.tls.session


@pytest.mark.parametrize("faults", [
    ["none@data"], ["fin"], ["regress"], ["key-update"], ["tickets"], ["split"], ["talk-on"]], ids=" ".join)
def test_allowed(start_server, origin, pki, faults):
    server = start_server("independent", methods="ssl", tls=Tls(pki), faults=[*faults, "plaintext=1000", "fill"])
    with connect(server) as client:
        client.handshake("127.0.0.1", origin.ports["stream"], tls_stream.client_context(pki.ca))
        client.send(b"20000 allowed\n")
        assert client.recv_all() == payload.octets(20_000, "allowed")
        if faults == ["regress"]:
            assert client.stream.states == [1, 2, 3, 1, 4]
        if faults == ["tickets"]:
            assert client.stream.states == [1, 2, 3, 1, 3, 4]


@pytest.mark.parametrize("faults", [
    ["no-notify"], ["empty-close"], ["cut@close=3"], ["cut@data=100"], ["close@data"], ["alter@data"], ["clear@data"],
    ["state@data=00"], ["state@data=05"], ["version@data=02"], ["alter@close"]], ids=" ".join)
def test_never_a_clean_end(start_server, origin, pki, faults):
    server = start_server("independent", methods="ssl", tls=Tls(pki), faults=[*faults, "plaintext=1000", "fill"])
    with connect(server) as client:
        client.handshake("127.0.0.1", origin.ports["stream"], tls_stream.client_context(pki.ca))
        client.send(b"20000 fault\n")
        with pytest.raises((wire.ProtocolError, OSError)):
            client.recv_all()
