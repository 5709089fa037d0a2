"""Whom the client trusts, and whom the server lets in: certificates, names, authorities (issue 4, Trust)."""

import json
import ssl
import subprocess

import pytest

from support import namespace, tls_stream
from support.process import HANG
from support.runner import program
from support.servers import KINDS, Tls, built
from support.socks_ssl_client import SocksSslClient


@pytest.fixture(params=KINDS)
def tls_server(request, start_server, pki):
    return lambda **tls: start_server(request.param, methods="ssl", tls=Tls(pki, **tls))


def attempt(server, origin, socksify, options=(), env=None):
    """A connect: its errno, and what is said about it."""
    done = socksify.run(server, program("connect", "127.0.0.1", origin.ports["echo"]), options=options, env=env)
    return json.loads(done.stdout)["error"], done.stderr


def refused(server, origin, socksify, *, options=(), env=None, word):
    """EACCES, one line that names the reason, and the origin hears nothing."""
    with origin.untouched("echo"):
        error, line = attempt(server, origin, socksify, options, env)
    assert error == "EACCES", (error, line)
    assert len(line.splitlines()) == 1 and word in line.lower(), line


def let_in(server, origin, socksify, **more):
    assert attempt(server, origin, socksify, **more) == (None, "")


@pytest.mark.parametrize("cert, word", [
    ("wrong-name", "name"), ("expired", "expired"), ("not-yet-valid", "not valid before"), ("other-server", "issue")])
def test_certificate_of_the_server(tls_server, origin, socksify, cert, word):
    refused(tls_server(cert=cert), origin, socksify, word=word)


def test_authority_not_ours(tls_server, origin, socksify, pki):
    server = tls_server()
    refused(server, origin, socksify, env={"SOCKSIFY_TLS_CA": str(pki.other_ca)}, word="issue")
    let_in(server, origin, socksify, options=["--tls-ca", str(pki.ca)], env={"SOCKSIFY_TLS_CA": str(pki.other_ca)})


def test_authority_unreadable(tls_server, origin, socksify, tmp_path):
    """No file of authorities is no trust at all, never the system's."""
    (tmp_path / "empty").write_text("")
    for path in (tmp_path / "absent", tmp_path / "empty"):
        done = socksify.run(tls_server(), program("connect", "127.0.0.1", origin.ports["echo"]),
                            env={"SOCKSIFY_TLS_CA": str(path)})
        assert done.returncode == 125 or json.loads(done.stdout)["error"] == "EACCES", done
        assert len(done.stderr.splitlines()) == 1 and str(path) in done.stderr, done.stderr


def test_name_of_the_server(tls_server, origin, socksify):
    """--tls-name is what is verified, in place of what --server says."""
    elsewhere = tls_server(cert="wrong-name")
    let_in(elsewhere, origin, socksify, options=["--tls-name", "elsewhere.test"])
    let_in(elsewhere, origin, socksify, options=["--tls-name", "192.0.2.1"])
    refused(elsewhere, origin, socksify, options=["--tls-name", "192.0.2.2"], word="name")
    refused(tls_server(), origin, socksify, options=["--tls-name", "elsewhere.test"], word="name")


def test_name_is_the_servers_never_the_destinations(tls_server, origin, socksify):
    server = tls_server()
    let_in(server, origin, socksify, env={"SOCKSIFY_SERVER": f"localhost:{server.port}"})
    elsewhere = tls_server(cert="wrong-name")
    done = socksify.run(elsewhere, program("connect", "elsewhere.test", 80))
    assert json.loads(done.stdout)["error"] == "EACCES", done


def test_server_by_ipv6_address(start_server, origin, socksify, pki):
    if "echo6" not in origin.ports:
        pytest.skip("no IPv6 loopback")
    server = start_server("independent", methods="ssl", tls=Tls(pki), listen="[::1]:0")
    done = socksify.run(server, program("connect", "::1", origin.ports["echo6"]))
    assert json.loads(done.stdout)["error"] is None and done.stderr == "", done


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_client_certificate(start_server, origin, socksify, pki, version):
    server = start_server("independent", methods="ssl", tls=Tls(pki, client_ca=pki.ca), options=["--tls-version", version])
    mark = server.mark()
    let_in(server, origin, socksify, options=["--tls-cert", str(pki["client"].cert), "--tls-key", str(pki["client"].key)])
    assert server.await_event("tls", mark)["client"] == "alice"


def test_client_certificate_is_asked_for(tls_server, origin, socksify, pki):
    server = tls_server(client_ca=pki.ca)
    client, stranger = ([f"--tls-{part}={path}" for part, path in zip(("cert", "key"), pki[name])]
                        for name in ("client", "other-client"))
    let_in(server, origin, socksify, options=client)
    refused(server, origin, socksify, word="certificate")
    refused(server, origin, socksify, options=stranger, word="certificate")


def test_client_certificate_is_not_asked_for(tls_server, origin, socksify, pki):
    cert, key = pki["client"]
    let_in(tls_server(), origin, socksify, options=["--tls-cert", str(cert), "--tls-key", str(key)])


@namespace.needed
@pytest.mark.parametrize("known", [True, False])
def test_system_store(tls_server, origin, socksify, pki, tmp_path, known):
    """Without --tls-ca the system's authorities are asked: ours only while it is among them."""
    server = tls_server()
    store = tmp_path / "store.pem"
    store.write_bytes((pki.ca if known else pki.other_ca).read_bytes())
    argv = namespace.with_mounts(f"mount --bind {store} /etc/ssl/certs/ca-certificates.crt", [
        built("socksify-gss"), *program("connect", "127.0.0.1", origin.ports["echo"])])
    done = subprocess.run(argv, env=socksify.env(server, extra={"SOCKSIFY_TLS_CA": None}), capture_output=True, text=True,
                          timeout=HANG, check=False)
    assert json.loads(done.stdout)["error"] == (None if known else "EACCES"), done.stderr
    assert len(done.stderr.splitlines()) == (0 if known else 1), done.stderr


@pytest.mark.parametrize("version, priority, good", [
    ("1.2", "NORMAL:-VERS-ALL:+VERS-TLS1.2", True), ("1.3", "NORMAL:-VERS-ALL:+VERS-TLS1.2", False),
    ("1.3", "NORMAL:-VERS-ALL:+VERS-TLS1.3", True), ("1.2", "NORMAL:-VERS-ALL:+VERS-TLS1.3", False)])
def test_priority(start_server, origin, socksify, pki, version, priority, good):
    server = start_server("independent", methods="ssl", tls=Tls(pki), options=["--tls-version", version])
    error, line = attempt(server, origin, socksify, options=["--tls-priority", priority])
    assert (error is None and line == "") if good else (error in ("EACCES", "EPROTO") and len(line.splitlines()) == 1)


def test_priority_cannot_go_below_tls_1_2(start_server, origin, socksify, pki):
    """Not to TLS 1.1, whoever asks for it; a string that is none is an error of the settings."""
    server = start_server("socksd-gss", methods="ssl", tls=Tls(pki))
    for priority in ("NORMAL:-VERS-ALL:+VERS-TLS1.1", "NO:SUCH:THING"):
        done = socksify.run(server, program("connect", "127.0.0.1", origin.ports["echo"]),
                            options=["--tls-priority", priority])
        assert done.returncode == 125 or json.loads(done.stdout)["error"] is not None, (priority, done)
        assert len(done.stderr.splitlines()) == 1, done.stderr


def test_the_server_refuses_old_versions(start_server, pki):
    server = start_server("socksd-gss", methods="ssl", tls=Tls(pki))
    context = tls_stream.client_context(pki.ca)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with SocksSslClient((server.host, server.port)) as client, pytest.raises(ssl.SSLError, match="version"):
        client.handshake("127.0.0.1", 1, context)


@pytest.mark.parametrize("name", [None, "other-client", "client"])
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_socksd_gss_asks_for_a_certificate(start_server, origin, pki, version, name):
    server = start_server("socksd-gss", methods="ssl", tls=Tls(pki, client_ca=pki.ca))
    context = tls_stream.client_context(pki.ca, name and pki[name], version)
    with SocksSslClient((server.host, server.port)) as client:
        if name == "client":
            client.handshake("127.0.0.1", origin.ports["echo"], context)
            client.send(b"hello")
            assert client.recv_exact(5) == b"hello"
        else:
            with pytest.raises(ssl.SSLError, match="(?i)alert"):
                client.handshake("127.0.0.1", origin.ports["echo"], context)
