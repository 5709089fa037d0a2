"""Who socksd-gss lets in by a password: kept clear or hashed, in the first place or inside TLS."""

import select
import signal
import subprocess

import pytest

from support import chap, tls_stream, wire
from support.process import HANG
from support.servers import Tls, base_env, built
from support.socks_gss_client import SocksGssClient
from support.socks_ssl_client import SocksSslClient

KIND = "socksd-gss"
PASSWORD = "wonderland"
YESCRYPT = "$y$j75$k2XAnEHBqQ1Ct2aMXFKNa/$n8wp./sz5T73Kayo4hhF1Adx6PRJlUD4cTntY2tVe26"


def sha_crypt(option, salt="saltofours"):
    """By OpenSSL, which shares no code with libcrypt."""
    done = subprocess.run(["openssl", "passwd", option, "-salt", salt, "-stdin"], input=PASSWORD, capture_output=True,
                          text=True, check=True)
    return done.stdout.strip()


def login(server, user, password):
    with SocksGssClient((server.host, server.port)) as client:
        assert client.greet((wire.USERPASS,)) == wire.USERPASS
        return client.authenticate(user, password) == 0


def inside(server, pki, method, user, password):
    """The same as a method of the SSL method's own."""
    with SocksSslClient((server.host, server.port)) as client:
        assert client.greet((wire.SSL,)) == wire.SSL
        client.establish(tls_stream.client_context(pki.ca))
        assert client.options() == (tls_stream.SUBAUTHENTICATION,)
        return client.subauthenticate(method, user, password)


@pytest.mark.parametrize("how", ["-6", "-5", "yescrypt"])
def test_hashed(start_server, how):
    stored = YESCRYPT if how == "yescrypt" else sha_crypt(how)
    server = start_server(KIND, methods="userpass", user=f"alice:{stored}\nbob:in the clear: yes")
    assert login(server, "alice", PASSWORD)
    assert login(server, "bob", "in the clear: yes")
    for user, password in (("alice", "Wonderland"), ("alice", stored), ("bob", PASSWORD), ("carol", PASSWORD)):
        assert not login(server, user, password), user


def test_clear_password_that_looks_like_a_hash(start_server):
    server = start_server(KIND, methods="userpass", user="alice:$clear$$6$looks$like")
    assert login(server, "alice", "$6$looks$like") and not login(server, "alice", "$clear$$6$looks$like")


@pytest.mark.parametrize("line", ["alice", "alice:", ":secret", "alice:$ecret", "alice:$1$salt$abcdefghijklmnopqrstu.",
                                  "alice:$6$saltwithouthash", f"{'a' * 256}:secret", f"alice:{'x' * 256}"])
def test_bad_line(realm, tmp_path, line):
    """It is named, and not shown."""
    users = tmp_path / "users"
    users.write_text(f"# comment\n\nbob:fine\n{line}\n")
    users.chmod(0o600)
    done = subprocess.run([built(KIND), "--listen", "127.0.0.1:0", "--methods", "userpass", "--users", str(users)],
                          env=base_env(realm.server_env), capture_output=True, text=True, timeout=HANG, check=False)
    assert done.returncode == 1 and done.stdout == "" and f"{users}:4: " in done.stderr, done
    assert "ecret" not in done.stderr.replace(str(users), "")


def test_hashed_inside_tls(start_server, pki):
    server = start_server(KIND, methods="ssl", tls=Tls(pki, subauth="userpass,chap"),
                          user=f"alice:{sha_crypt('-6')}\nbob:builder")
    assert inside(server, pki, wire.USERPASS, "alice", PASSWORD)
    assert not inside(server, pki, wire.USERPASS, "alice", "Wonderland")
    assert inside(server, pki, wire.CHAP, "bob", "builder")
    with pytest.raises(chap.Refused):
        inside(server, pki, wire.CHAP, "alice", PASSWORD)  # who is told so when the file is read
    assert "chap" in server.stderr() and "alice" in server.stderr() and "bob" not in server.stderr()


def goes_on_while_a_hash_is_slow(address, origin):
    with SocksGssClient(address) as session, SocksGssClient(address) as slow, SocksGssClient(address) as waiting:
        slow.raw(b"\5\1\2\1\5alice\1x")  # in one breath
        assert wire.read_exact(slow.reader, 2) == b"\5\2"
        assert waiting.greet((wire.USERPASS,)) == wire.USERPASS
        waiting.raw(b"\1\5alice\1x")
        session.handshake("127.0.0.1", origin.ports["echo"])
        session.send(b"meanwhile")
        assert session.recv_exact(9) == b"meanwhile"
        unanswered = select.select([slow.socket, waiting.socket], [], [], 0)[0] == []
        waiting.close()  # gone before its turn
        assert wire.read_exact(slow.reader, 2) == b"\1\1"
    return unanswered


def test_a_slow_hash_is_nobody_elses_problem(start_server, origin):
    """One event loop: its other session goes on while a password is verified."""
    server = start_server(KIND, methods="gssapi,userpass", user=f"alice:{'$6$rounds=4000000$saltofours$' + 'x' * 86}",
                          options=["--threads", "1"])
    address = (server.host, server.port)
    assert any(goes_on_while_a_hash_is_slow(address, origin) for _ in range(5))  # unless it is not given the time
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(HANG) == 0
