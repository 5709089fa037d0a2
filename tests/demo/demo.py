#!/usr/bin/python3
"""`make demo`: a realm, socksd-gss, an origin; then `socksify-gss curl` through them, with what crossed the wire.

Everything lives in a temporary directory and on loopback and is gone afterwards. Exit 0 only if all is as it should be.
"""

import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support import payload  # noqa: E402
from support.process import Service  # noqa: E402
from support.realm import Realm  # noqa: E402
from support.runner import Socksify  # noqa: E402
from support.servers import PYTHON, TESTS, SocksServer  # noqa: E402
from support.tap import Tap, check_rfc1961  # noqa: E402

SHOWN = 48  # octets of each frame
CLIENT, SERVER = "client", "server"


def title(text):
    print(f"\n== {text}")


def explain(piece, number):
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


def conversation(client, server):
    """The two directions merged into the order in which they must have been spoken."""
    handshake = {"greeting": 0, "choice": 1, "token": 2, "level": 3, "data": 4}
    order = []
    for who, pieces in ((0, client), (1, server)):
        counts = {}
        for piece in pieces:
            number = counts[piece.kind] = counts.get(piece.kind, -1) + 1
            order.append(((handshake[piece.kind], number, who), number, piece))
    return [(number, piece) for _, number, piece in sorted(order, key=lambda item: item[0])]


def show_frames(client, server, count=12):
    for number, piece in conversation(client, server)[:count]:
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


def demo(directory):
    home = directory / "home"
    home.mkdir()
    with Realm(directory / "realm") as realm:
        realm.populate()
        with SocksServer("socksd-gss", realm, directory / "server") as server, \
                Service([PYTHON, str(TESTS / "support" / "origin.py")]) as origin, \
                Tap((server.host, server.port)) as tap:
            url = f"http://{server.target}:{origin.port}/page"
            socksify = Socksify(realm, home)

            address = f"localhost:{tap.port}"
            title(f"SOCKSIFY_SERVER={address} socksify-gss curl -sS {url}")
            done = socksify.run(address, ["curl", "-sS", url])
            sys.stdout.write(done.stdout.decode())
            need(done.returncode == 0, f"curl ended with {done.returncode}: {done.stderr}")
            need(not done.stderr, f"not silent: {done.stderr}")
            need(payload.MARKER in done.stdout, "that is not the page")
            (connection,) = tap.await_done()

            title("socksify-gss --check")
            check = socksify.launcher("--check", server=f"localhost:{server.port}")
            sys.stdout.write(check.stdout)
            need(check.returncode == 0, check.stderr)
            for expected in ("method: gssapi", f"client principal: alice@{realm.name}",
                             f"server principal: socks/localhost@{realm.name}", "protection: confidentiality"):
                need(expected in check.stdout, f"--check does not say `{expected}`")

            title("the first frames on the wire")
            client, answers = check_rfc1961(connection, (payload.MARKER, b"GET /"))
            show_frames(client, answers)
            print(f"\n{len(client) + len(answers)} messages, every octet of them a method choice or an RFC 1961 frame; "
                  "no plaintext among them.")


def main():
    directory = Path(tempfile.mkdtemp(prefix="socksify-demo-"))
    try:
        demo(directory)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
