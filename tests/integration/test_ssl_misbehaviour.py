"""Every fault that the independent server of the SSL method can commit, and what the program then sees (protocol.md §2)."""

import hashlib
import json

import pytest

from support import payload
from support.runner import program
from support.servers import Tls

BROKEN = ["EPROTO"]
REFUSED = ["EACCES"]
GONE = ["ECONNREFUSED", "ECONNRESET", "EPROTO"]  # FIN or RST where an answer was due
USER = "alice:wonderland"
CREDENTIALS = {"SOCKSIFY_USER": "alice", "SOCKSIFY_PASSWORD": "wonderland"}

HANDSHAKE = [
    # fault, errno of connect
    (["method=ff"], REFUSED),
    (["method=00"], BROKEN + REFUSED),
    (["method=02"], BROKEN + REFUSED),
    (["method=03"], BROKEN + REFUSED),
    (["method=01"], BROKEN + REFUSED),
    (["method=06"], BROKEN + REFUSED),  # the same protocol, but only 0x86 was offered
    *(([f"version@{stage}=05"], BROKEN) for stage in ("handshake", "options", "reply")),
    (["version@choice=48"], BROKEN),  # the H of an HTTP server
    *(([f"state@{stage}={state}"], BROKEN) for state in ("00", "05", "ff")
      for stage in ("handshake", "options", "subauth", "reply")),
    *(([f"alter@{stage}"], BROKEN + REFUSED) for stage in ("handshake", "options", "subauth", "reply")),
    *(([f"clear@{stage}"], BROKEN + REFUSED) for stage in ("handshake", "options", "subauth", "reply")),
    (["options=020110"], BROKEN + REFUSED),  # UDP-Naked was not offered
    (["options=020101"], BROKEN + REFUSED),  # twice
    (["options=02017f"], BROKEN + REFUSED),  # unknown
    (["options=0110"], BROKEN + REFUSED),
    (["options=ff" + "01" * 255], BROKEN + REFUSED),
    (["subauth-method=01"], BROKEN + REFUSED),  # not of those that belong inside
    (["subauth-method=86"], BROKEN + REFUSED),
    (["subauth-method=03"], BROKEN + REFUSED),  # not offered
    (["subauth-method=00"], BROKEN + REFUSED),
    (["subauth-method=ff"], REFUSED),
    (["subauth-status=01"], REFUSED),
    (["subauth-status=ff"], REFUSED),
    (["subauth-reply=0500"], BROKEN + REFUSED),  # another version
    (["rep=2"], ["EACCES"]),
    (["rep=4"], ["EHOSTUNREACH"]),
    (["rep=5"], ["ECONNREFUSED"]),
    (["rep=6"], ["ETIMEDOUT"]),
    (["rep-short=4"], ["EHOSTUNREACH"]),
    (["reply-version=04"], BROKEN),
    (["atyp=9"], BROKEN),
    *(([f"{how}@{stage}"], GONE) for how in ("close", "reset")
      for stage in ("choice", "handshake", "options", "subauth", "reply")),
    *(([f"cut@{stage}={octets}"], GONE) for stage in ("handshake", "options", "subauth", "reply") for octets in (1, 4, 11)),
    *(([f"stall@{stage}"], ["ETIMEDOUT"]) for stage in ("choice", "handshake", "options", "subauth", "reply")),
]

LESS_THAN_IT_SAYS = "subauth-reply=01010305"
CHAP = [
    (["chap-empty"], BROKEN),
    (["chap-algorithm=05"], BROKEN + REFUSED),  # MD5 was not offered
    (["chap-algorithm=84"], BROKEN + REFUSED),
    (["subauth-status=ff"], REFUSED),
    (["subauth-status=01"], REFUSED),
    (["subauth-reply=02010300"], BROKEN),  # another version
    ([LESS_THAN_IT_SAYS], GONE + ["ETIMEDOUT"]),
    (["cut@subauth=9"], GONE),
    (["chap-impostor"], REFUSED),  # does not know the password itself
]

FRAME = 1000
DATA = [
    # fault, good frames delivered before the end, how the stream ends
    (["alter@data"], 1, "ECONNRESET"),
    (["clear@data"], 1, "ECONNRESET"),
    (["version@data=05"], 1, "ECONNRESET"),
    *(([f"state@data={state}"], 1, "ECONNRESET") for state in ("00", "05", "86", "ff")),
    *(([f"cut@data={octets}"], 1, "ECONNRESET") for octets in (1, 3, 4, 5, 500)),
    (["close@data"], 1, "ECONNRESET"),
    (["close@data", "frame-number=0"], 0, "ECONNRESET"),
    (["reset@data"], None, "ECONNRESET"),  # RST may overtake what lies in the kernel
    (["no-notify"], 20, "ECONNRESET"),
    (["empty-close"], 20, "ECONNRESET"),
    *(([f"cut@close={octets}"], 20, "ECONNRESET") for octets in (1, 4, 10)),
    (["alter@close"], 20, "ECONNRESET"),
    (["version@close=00"], 20, "ECONNRESET"),
    (["state@close=05"], 20, "ECONNRESET"),
]

HARMLESS = [
    ["fin"], ["talk-on"], ["regress"], ["tickets"], ["split"], ["fill"], ["plaintext=7"], ["none@handshake"], ["none@options"],
    ["none@reply"], ["none@data"], ["state@data=01"], ["state@data=02"], ["state@data=04"], ["state@close=03"],
    ["state@handshake=03"], ["state@options=01"], ["state@reply=02"], ["atyp=1"], ["atyp=3"], ["atyp=4"],
    ["key-update"], ["key-update", "tickets", "frame-number=0"],
]


def words(value):
    return "+".join(value) if isinstance(value, list) else None


@pytest.fixture
def faulty(start_server, pki):
    def start(faults, subauth="", **more):
        return start_server("independent", methods="ssl", tls=Tls(pki, subauth=subauth), user=USER, faults=faults, **more)

    return start


def refused(done, faults, errors):
    said = json.loads(done.stdout)
    assert said["error"] in errors, (said, done.stderr)
    by_the_target = faults[0].startswith("rep")
    assert len(done.stderr.splitlines()) <= 1 if by_the_target else len(done.stderr.splitlines()) == 1, done.stderr


def attempt(server, origin, socksify, subauth, faults):
    silent = faults[0].startswith("stall") or faults[0] == LESS_THAN_IT_SAYS
    env = CREDENTIALS | {"SOCKSIFY_SUBAUTH": subauth} | ({"SOCKSIFY_TIMEOUT": "2"} if silent else {})
    return socksify.run(server, program("connect", "origin.test", origin.ports["echo"]), env=env)


@pytest.mark.parametrize("faults, errors", HANDSHAKE, ids=words)
def test_in_the_handshake(faulty, origin, socksify, faults, errors):
    """connect fails with the errno of the table, after which the program goes on."""
    refused(attempt(faulty(faults, "userpass"), origin, socksify, "userpass", faults), faults, errors)


@pytest.mark.parametrize("faults, errors", CHAP, ids=words)
def test_in_chap(faulty, origin, socksify, faults, errors):
    refused(attempt(faulty(faults, "chap"), origin, socksify, "chap", faults), faults, errors)


@pytest.mark.parametrize("faults, frames, end", DATA, ids=words)
def test_in_the_data(faulty, origin, socksify, faults, frames, end):
    """Good octets before the fault are delivered, none after it, and it is never mistaken for the end of the stream."""
    server = faulty([*faults, f"plaintext={FRAME}", "fill"])
    done = socksify.run(server, program("receive", "origin.test", origin.ports["stream"], f"{FRAME * 20} fault"))
    said = json.loads(done.stdout)
    assert said["error"] is None and said["end"] == end, (said, done.stderr)
    if frames is not None:
        assert said["octets"] == frames * FRAME
        assert said["sha256"] == payload.sha256(frames * FRAME, "fault")
    else:
        assert said["octets"] in (0, FRAME)


def test_no_renegotiation(faulty, origin, socksify):
    """TLS 1.2 only has it: what came before is delivered, and that is all."""
    server = faulty(["renegotiate", f"plaintext={FRAME}", "fill"], options=["--tls-version", "1.2"])
    done = socksify.run(server, program("receive", "origin.test", origin.ports["stream"], f"{FRAME * 20} again"))
    said = json.loads(done.stdout)
    assert (said.get("octets"), said.get("end")) == (FRAME, "ECONNRESET"), (said, done.stderr)


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("faults", HARMLESS, ids=words)
def test_tolerated(faulty, origin, socksify, faults, version):
    """Odd but allowed, what STATE says above all: the stream is intact, and its end is clean."""
    if version == "1.2" and {"key-update", "tickets"} & set(faults):
        pytest.skip("TLS 1.3 alone has it")
    size = 20_000 if "split" in faults else 200_000
    server = faulty([*faults, *([] if {"fill", "plaintext=7"} & set(faults) else ["plaintext=1000", "fill"])],
                    options=["--tls-version", version])
    done = socksify.run(server, program("receive", "origin.test", origin.ports["stream"], f"{size} odd"))
    said = json.loads(done.stdout)
    assert (said.get("octets"), said.get("end")) == (size, "EOF"), (said, done.stderr)
    assert said["sha256"] == payload.sha256(size, "odd")
    assert done.stderr == ""


@pytest.mark.parametrize("faults", [["join"], ["hold"], ["hold", "fin"], ["hold", "split"]], ids=words)
@pytest.mark.parametrize("way", ["receive", "greeter"])
def test_all_at_once(faulty, origin, socksify, faults, way):
    """A target that speaks first: what comes with the reply, the end too, is the program's, and it can still answer."""
    mark = origin.mark()
    done = socksify.run(faulty(faults), program(way, "origin.test", origin.ports["greeter"], *[1000] * (way == "greeter")))
    said = json.loads(done.stdout)
    lines = b"".join(b"%06d " % n + payload.MARKER + b"\n" for n in range(4096))
    assert (said.get("octets"), said.get("end")) == (len(lines), "EOF"), (said, done.stderr)
    assert said["sha256"] == hashlib.sha256(lines).hexdigest()
    if way == "greeter":
        origin.await_event("eof", mark, service="greeter", sha256=said["sent"])


@pytest.mark.parametrize("faults", [[], ["chap-two"], ["chap-no-mutual"], ["chap-challenge=1"], ["chap-challenge=255"]],
                         ids=words)
def test_chap_in_one_message_or_two(faulty, origin, socksify, faults):
    done = attempt(faulty(faults, "chap"), origin, socksify, "chap", faults or [""])
    assert json.loads(done.stdout)["error"] is None and done.stderr == "", done.stderr
