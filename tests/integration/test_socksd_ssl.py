"""socksd-gss's options for the SSL method: what it refuses to start with, and what SIGHUP has it read again."""

import shutil
import signal
import socket
import ssl
import subprocess
import time

import pytest

from support import tls_stream, wire
from support.process import HANG
from support.servers import Tls, base_env, built
from support.socks_gss_client import SocksGssClient
from support.socks_ssl_client import SocksSslClient

KIND = "socksd-gss"


@pytest.fixture
def files(pki, tmp_path):
    """Files of the server's own, to be changed under it."""
    return ServerFiles(pki, tmp_path)


class ServerFiles:
    def __init__(self, pki, directory):
        self.pki = pki
        self.cert, self.key, self.ca, self.users = (directory / name for name in ("cert.pem", "key.pem", "ca.pem", "users"))
        self.show("server")
        self.trust(pki.ca)
        self.write_users("alice:wonderland\n")

    def show(self, name):
        shutil.copy(self.pki[name].cert, self.cert)
        shutil.copy(self.pki[name].key, self.key)  # with its mode

    def trust(self, ca):
        shutil.copy(ca, self.ca)

    def write_users(self, text):
        self.users.write_text(text)
        self.users.chmod(0o600)

    @property
    def identity(self):
        return ["--tls-cert", str(self.cert), "--tls-key", str(self.key)]


def started_wrongly(realm, *options):
    """What it says when it does not start."""
    done = subprocess.run([built(KIND), "--listen", "127.0.0.1:0", *map(str, options)], env=base_env(realm.server_env),
                          capture_output=True, text=True, timeout=HANG, stdin=subprocess.DEVNULL, check=False)
    assert done.returncode in (1, 125) and done.stdout == "" and len(done.stderr.splitlines()) == 1, done
    return done.stderr


@pytest.mark.parametrize("options, words", [
    (["--methods", "ssl"], ["--tls-cert", "--tls-key"]),
    (["--methods", "ssl", "--tls-cert", "{cert}"], ["--tls-key"]),
    (["--methods", "ssl", "--tls-key", "{key}"], ["--tls-cert"]),
    (["--tls-cert", "{cert}", "--tls-key", "{key}"], ["--tls-cert", "--methods"]),
    (["--subauth", "userpass", "--users", "{users}"], ["--subauth", "--methods"]),
    (["--methods", "chap"], ["--users"]),
    (["--methods", "ssl", "--subauth", "chap", "--tls-cert", "{cert}", "--tls-key", "{key}"], ["--users"]),
    (["--methods", "ssl", "--subauth", "gssapi", "--tls-cert", "{cert}", "--tls-key", "{key}"], ["--subauth", "gssapi"]),
    (["--methods", "ssl", "--tls-cert", "{absent}", "--tls-key", "{key}"], ["{absent}"]),
    (["--methods", "ssl", "--tls-cert", "{cert}", "--tls-key", "{absent}"], ["{absent}"]),
    (["--methods", "ssl", "--tls-cert", "{cert}", "--tls-key", "{other}"], ["{cert}", "{other}"]),
    (["--methods", "ssl", "--tls-cert", "{key}", "--tls-key", "{key}"], ["{key}"]),
    (["--methods", "ssl", "--tls-cert", "{cert}", "--tls-key", "{key}", "--tls-client-ca", "{absent}"], ["{absent}"]),
    (["--methods", "ssl", "--tls-cert", "{cert}", "--tls-key", "{key}", "--tls-client-ca", "{key}"], ["{key}"]),
    (["--methods", "ssl", "--tls-cert", "{cert}", "--tls-key", "{key}", "--tls-priority", "NONSENSE"], ["NONSENSE"]),
], ids=lambda v: " ".join(v) if isinstance(v, list) else None)
def test_options_that_do_not_do(realm, files, pki, tmp_path, options, words):
    names = {"cert": files.cert, "key": files.key, "users": files.users, "absent": tmp_path / "absent",
             "other": pki["renewed"].key}
    said = started_wrongly(realm, *(word.format(**names) for word in options))
    for word in words:
        assert word.format(**names) in said, said


def test_key_that_others_can_read(realm, files):
    files.key.chmod(0o604)
    assert f"others can read {files.key}" in started_wrongly(realm, "--methods", "ssl", *files.identity)


def test_nobody_is_asked_who_they_are(start_server, pki):
    """That is said; not when somebody is asked, or `none` is what is wanted."""
    for asked, tls in ((False, Tls(pki)), (True, Tls(pki, subauth="none")), (True, Tls(pki, client_ca=pki.ca))):
        server = start_server(KIND, methods="ssl", tls=tls)
        assert ("not asked who they are" in server.stderr()) != asked, server.stderr()


@pytest.mark.parametrize("priority, version", [("NORMAL:-VERS-ALL:+VERS-TLS1.2", "TLSv1.2"),
                                               ("NORMAL:-VERS-TLS1.2", "TLSv1.3")])
def test_priority(start_server, pki, priority, version):
    server = start_server(KIND, methods="ssl", tls=Tls(pki), options=["--tls-priority", priority])
    with handshaken(server, tls_stream.client_context(pki.ca)) as client:
        assert client.stream.tls.version() == version


def test_order_of_methods(start_server, pki):
    server = start_server(KIND, methods="ssl,gssapi,userpass", tls=Tls(pki), user="alice:wonderland")
    for offered, chosen in (((1, 0x86), 0x86), ((1, 6), 6), ((2, 1), 1), ((2,), 2), ((0, 3), 0xFF)):
        with SocksGssClient((server.host, server.port)) as client:
            assert client.greet(offered) == chosen, offered


# --- SIGHUP ---


def handshaken(server, context, session=None):
    client = SocksSslClient((server.host, server.port))
    assert client.greet((wire.SSL,)) == wire.SSL
    client.establish(context, session=session)
    return client


def shown(server, context):
    """The certificate that a new client is shown."""
    with handshaken(server, context) as client:
        return client.stream.tls.getpeercert(binary_form=True)


def der(pki, name):
    return ssl.PEM_cert_to_DER_cert(pki[name].cert.read_text())


def reload(server, word):
    """SIGHUP, until the log says so; each connection meanwhile wakes the loop that gets the signal."""
    seen = server.stderr().count(word)
    server.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + HANG
    while server.stderr().count(word) == seen:
        assert time.monotonic() < deadline and server.process.poll() is None, server.stderr()
        socket.create_connection((server.host, server.port)).close()
        time.sleep(0.01)


@pytest.fixture
def reloading(start_server, files):
    return start_server(KIND, methods="ssl", options=[
        *files.identity, "--subauth", "userpass,none", "--users", str(files.users), "--log", "info"])


def test_new_certificate(reloading, files, origin, pki):
    """Those who come are shown the new one; who is there goes on."""
    context = tls_stream.client_context(pki.ca)
    assert shown(reloading, context) == der(pki, "server")
    with SocksSslClient((reloading.host, reloading.port)) as running:
        running.handshake("127.0.0.1", origin.ports["echo"], context)
        files.show("renewed")
        assert shown(reloading, context) == der(pki, "server")  # not before it is told
        reload(reloading, "reloaded")
        assert shown(reloading, context) == der(pki, "renewed")
        running.send(b"as before")
        assert running.recv_exact(9) == b"as before"


def test_no_resumption_across(reloading, origin, pki):
    context = tls_stream.client_context(pki.ca, version="1.2")
    resumed = []
    session = None
    for again in (False, False, True):
        if again:
            reload(reloading, "reloaded")
        with SocksSslClient((reloading.host, reloading.port)) as client:
            client.handshake("127.0.0.1", origin.ports["echo"], context, session=session)
            resumed.append(client.stream.tls.session_reused)
            session = client.stream.tls.session
    assert resumed == [False, True, False]


@pytest.mark.parametrize("spoil, word", [
    (lambda files: files.cert.write_text("no certificate"), "{files.cert}"),
    (lambda files: files.key.unlink(), "{files.key}"),
    (lambda files: files.key.chmod(0o644), "others can read {files.key}"),
    (lambda files: shutil.copy(files.pki["renewed"].cert, files.cert), "{files.cert}"),  # and not yet its key
    (lambda files: files.write_users("alice:$ecret\n"), "{files.users}:1"),
    (lambda files: files.users.unlink(), "{files.users}"),
], ids=["certificate", "no key", "key open to all", "another certificate", "user", "no users"])
def test_bad_files_change_nothing(reloading, files, pki, spoil, word):
    context = tls_stream.client_context(pki.ca)
    spoil(files)
    reload(reloading, "not reloaded")
    assert word.format(files=files) in reloading.stderr() and "ecret" not in reloading.stderr()
    assert shown(reloading, context) == der(pki, "server")
    assert login(reloading, context, "wonderland")
    files.show("renewed")
    files.write_users("alice:looking-glass\n")
    reload(reloading, "reloaded: ")
    assert shown(reloading, context) == der(pki, "renewed")
    assert login(reloading, context, "looking-glass") and not login(reloading, context, "wonderland")


def login(server, context, password):
    with handshaken(server, context) as client:
        client.options()
        return client.subauthenticate(wire.USERPASS, "alice", password)


def test_new_client_ca(start_server, files, origin, pki):
    server = start_server(KIND, methods="ssl", options=[*files.identity, "--tls-client-ca", str(files.ca), "--log", "info"])
    contexts = {name: tls_stream.client_context(pki.ca, pki[name]) for name in ("client", "other-client")}

    def let_in(name):
        with SocksSslClient((server.host, server.port)) as client:
            try:
                client.handshake("127.0.0.1", origin.ports["echo"], contexts[name])
            except ssl.SSLError:
                return False
        return True

    assert [let_in(name) for name in contexts] == [True, False]
    files.trust(pki.other_ca)
    reload(server, "reloaded")
    assert [let_in(name) for name in contexts] == [False, True]


def test_reload_under_load(reloading, files, origin, pki):
    """Sessions begin, run and end on every loop while the files change under them: none is lost."""
    context = tls_stream.client_context(pki.ca)
    held = []
    for turn in range(10):
        files.show(("renewed", "server")[turn % 2])
        reloading.process.send_signal(signal.SIGHUP)
        for _ in range(5):
            client = SocksSslClient((reloading.host, reloading.port))
            held.append(client.handshake("127.0.0.1", origin.ports["echo"], context))
    for number, client in enumerate(held):
        client.send(b"%04d" % number)
        assert client.recv_exact(4) == b"%04d" % number
        client.close()


def test_sighup_while_it_finishes(reloading, origin, pki):
    """After SIGTERM it ends nobody's session either."""
    with SocksSslClient((reloading.host, reloading.port)) as client:
        client.handshake("127.0.0.1", origin.ports["echo"], tls_stream.client_context(pki.ca))
        reloading.process.send_signal(signal.SIGTERM)
        with pytest.raises(ConnectionRefusedError):
            while True:
                socket.create_connection((reloading.host, reloading.port), HANG).close()
                time.sleep(0.01)
        reloading.process.send_signal(signal.SIGHUP)
        client.send(b"still here")
        assert client.recv_exact(10) == b"still here"
        client.half_close()
        assert client.recv() == b""
    assert reloading.process.wait(HANG) == 0
