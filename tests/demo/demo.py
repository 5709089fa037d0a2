#!/usr/bin/python3
"""`make demo`: socksd-gss, an origin, and `socksify-gss curl` through them, with what crossed the wire.

    demo.py [gssapi | ssl]      with a throwaway realm, or a throwaway authority, TLS 1.3 and a password inside

Everything lives in a temporary directory and on loopback and is gone afterwards. Exit 0 only if all is as it should be.
"""

import contextlib
import shutil
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support import payload  # noqa: E402
from support.pki import Pki  # noqa: E402
from support.process import Service  # noqa: E402
from support.realm import Realm  # noqa: E402
from support.runner import Socksify  # noqa: E402
from support.servers import PYTHON, TESTS, SocksServer, Tls  # noqa: E402
from support.tap import Tap, check_rfc1961, check_ssl  # noqa: E402

SHOWN = 48  # octets of each frame
CLIENT, SERVER = "client", "server"
USER, PASSWORD = "alice", "wonderland"


class Demo(NamedTuple):
    """What one method needs, and what is to be seen of it."""

    realm: object  # whose environment the programs get
    server: dict  # how the server is started
    settings: dict  # of the client
    expected: tuple  # lines of --check
    order: tuple  # the kinds of messages, as they must have been spoken
    check: object  # of the recording
    explain: object  # one message
    verdict: str


def title(text):
    print(f"\n== {text}")


def explain_gssapi(piece, number):
    """What a frame is, from its place in the conversation (RFC 1928 §3, RFC 1961 §3 to §5)."""
    mine = piece.who == "C"
    if piece.kind == "greeting":
        return "SOCKS 5, methods offered: gssapi"
    if piece.kind == "choice":
        return "method chosen: gssapi"
    if piece.kind == "token":
        return "Kerberos AP-REQ: the ticket" if mine else "Kerberos AP-REP: mutual authentication"
    if piece.kind == "level":
        return "protection level asked for, signed" if mine else "protection level agreed, signed"
    if number == 0:
        return "CONNECT request, sealed" if mine else "reply, sealed"
    return "data, sealed"


CHANGE_CIPHER_SPEC, APPLICATION_DATA = 0x14, 0x17  # types of TLS records
STATES = {
    ("handshake", "C"): ("ClientHello", "Finished"),
    ("handshake", "S"): ("ServerHello, certificate, Finished", "session tickets"),
    ("options", "C"): ("options offered", "subauthentication, methods offered: userpass", "name and password"),
    ("options", "S"): ("options chosen", "method chosen: userpass", "success"),
    ("data", "C"): ("CONNECT request", "data"), ("data", "S"): ("reply", "data"),
    ("closing", "C"): ("close_notify",), ("closing", "S"): ("close_notify",),
}


def explain_ssl(piece, number):
    """The same for the SSL method, whose frames say their STATE (draft-ietf-aft-socks-ssl-00)."""
    if piece.kind == "greeting":
        return "SOCKS 5, methods offered: ssl"
    if piece.kind == "choice":
        return "method chosen: ssl"
    said = STATES[piece.kind, piece.who]
    text = said[min(number, len(said) - 1)]
    record = piece.octets[4]
    sealed = ", sealed" if record == APPLICATION_DATA else ""
    return f"STATE {piece.octets[1]}: {'ChangeCipherSpec' if record == CHANGE_CIPHER_SPEC else text}{sealed}"


@contextlib.contextmanager
def gssapi(directory):
    with Realm(directory / "realm") as realm:
        realm.populate()
        yield Demo(realm, {}, {}, ("method: gssapi", f"client principal: {USER}@{realm.name}",
                                   f"server principal: socks/localhost@{realm.name}", "protection: confidentiality"),
                   ("greeting", "choice", "token", "level", "data"), check_rfc1961, explain_gssapi,
                   "every octet of them a method choice or an RFC 1961 frame")


@contextlib.contextmanager
def ssl(directory):
    """No realm at all."""
    pki = Pki(directory / "pki")
    secret = directory / "password"
    secret.write_text(PASSWORD + "\n")
    secret.chmod(0o600)
    settings = {"SOCKSIFY_METHODS": "ssl", "SOCKSIFY_TLS_CA": str(pki.ca), "SOCKSIFY_SUBAUTH": "userpass",
                "SOCKSIFY_USER": USER, "SOCKSIFY_PASSWORD_FILE": str(secret)}
    nowhere = {"KRB5_CONFIG": "/dev/null"}
    yield Demo(SimpleNamespace(env=nowhere, server_env=nowhere),
               {"methods": "ssl", "tls": Tls(pki, subauth="userpass"), "user": f"{USER}:{PASSWORD}"}, settings,
               ("method: ssl", f"client principal: {USER}", "tls version: TLS 1.3", "options: subauthentication",
                "subauthentication: userpass", "resumed: yes"),
               ("greeting", "choice", "handshake", "options", "data", "closing"), check_ssl, explain_ssl,
               "every octet of them a method choice or a frame of the SSL method")


def conversation(client, server, kinds):
    """The two directions merged into the order in which they must have been spoken."""
    order = []
    for who, pieces in ((0, client), (1, server)):
        counts = {}
        for piece in pieces:
            number = counts[piece.kind] = counts.get(piece.kind, -1) + 1
            order.append(((kinds.index(piece.kind), number, who), number, piece))
    return [(number, piece) for _, number, piece in sorted(order, key=lambda item: item[0])]


def show_frames(pieces, explain, count=18):
    for number, piece in pieces[:count]:
        who = f"{CLIENT} -> {SERVER}" if piece.who == "C" else f"{SERVER} -> {CLIENT}"
        print(f"{who}  {len(piece.octets):5} octets  {explain(piece, number)}")
        head = piece.octets[:SHOWN]
        for start in range(0, len(head), 16):
            print(f"    {head[start:start + 16].hex(' ')}")
        if len(piece.octets) > SHOWN:
            print("    ...")


def need(condition, problem):
    if not condition:
        raise SystemExit(f"demo: {problem}")


def run(demo, directory):
    home = directory / "home"
    home.mkdir()
    with SocksServer("socksd-gss", demo.realm, directory / "server", **demo.server) as server, \
            Service([PYTHON, str(TESTS / "support" / "origin.py")]) as origin, \
            Tap((server.host, server.port)) as tap:
        url = f"http://{server.target}:{origin.port}/page"
        socksify = Socksify(demo.realm, home)

        address = f"localhost:{tap.port}"
        title(" ".join(f"{k}={v}" for k, v in ({"SOCKSIFY_SERVER": address} | demo.settings).items())
              + f" socksify-gss curl -sS {url}")
        done = socksify.run(address, ["curl", "-sS", url], env=demo.settings)
        sys.stdout.write(done.stdout.decode())
        need(done.returncode == 0, f"curl ended with {done.returncode}: {done.stderr}")
        need(not done.stderr, f"not silent: {done.stderr}")
        need(payload.MARKER in done.stdout, "that is not the page")
        (connection,) = tap.await_done()

        title("socksify-gss --check")
        check = socksify.launcher("--check", server=f"localhost:{server.port}", env=demo.settings)
        sys.stdout.write(check.stdout)
        need(check.returncode == 0, check.stderr)
        for expected in demo.expected:
            need(expected in check.stdout, f"--check does not say `{expected}`")

        title("the first frames on the wire")
        client, answers = demo.check(connection, (payload.MARKER, b"GET /", PASSWORD.encode()))
        show_frames(conversation(client, answers, demo.order), demo.explain)
        print(f"\n{len(client) + len(answers)} messages, {demo.verdict}; no plaintext among them.")


def main():
    methods = {"gssapi": gssapi, "ssl": ssl}
    method = sys.argv[1] if len(sys.argv) > 1 else "gssapi"
    need(method in methods, f"METHOD is one of {', '.join(methods)}")
    directory = Path(tempfile.mkdtemp(prefix="socksify-demo-"))
    try:
        with methods[method](directory) as demo:
            run(demo, directory)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
