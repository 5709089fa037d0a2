"""Every fault the independent server can commit, and what the program then sees (protocol.md §1 and §4)."""

import hashlib
import json

import pytest

from support import payload
from support.runner import program

BROKEN = ["EPROTO"]
REFUSED = ["EACCES"]
GONE = ["ECONNREFUSED", "ECONNRESET", "EPROTO"]  # FIN or RST where an answer was due

HANDSHAKE = [
    # fault, errno of connect
    (["method=ff"], REFUSED),
    (["method=00"], BROKEN + REFUSED),
    (["method=02"], BROKEN + REFUSED),
    (["method=86"], BROKEN + REFUSED),
    (["version@choice=04"], BROKEN),
    (["version@choice=48"], BROKEN),  # the H of an HTTP server
    (["abort@context"], REFUSED),
    (["abort@level"], REFUSED),
    (["abort@reply"], REFUSED),
    (["version@context=05"], BROKEN),
    (["version@level=02"], BROKEN),
    (["version@reply=05"], BROKEN),
    (["mtyp@context=02"], BROKEN),
    (["mtyp@context=09"], BROKEN),
    (["mtyp@level=03"], BROKEN),
    (["mtyp@level=01"], BROKEN),
    (["mtyp@reply=02"], BROKEN),
    (["mtyp@reply=01"], BROKEN),
    (["alter@context"], BROKEN + REFUSED),
    (["alter@level"], BROKEN),
    (["alter@reply"], BROKEN),
    (["empty@context"], BROKEN + REFUSED),
    (["empty@level"], BROKEN),
    (["empty@reply"], BROKEN),
    (["stray=2"], BROKEN),
    (["level=00"], REFUSED + BROKEN),
    (["level=01"], REFUSED),
    (["level=04"], REFUSED + BROKEN),
    (["level=ff"], REFUSED + BROKEN),
    (["level-long"], BROKEN),
    (["level-none"], BROKEN),
    (["level-clear"], BROKEN),
    (["conf-false@reply"], BROKEN + REFUSED),
    (["clear-reply"], BROKEN),
    (["reply-version=04"], BROKEN),
    (["atyp=9"], BROKEN),
    (["rep=1"], ["ECONNREFUSED"]),
    (["rep=2"], ["EACCES"]),
    (["rep=3"], ["ENETUNREACH"]),
    (["rep=4"], ["EHOSTUNREACH"]),
    (["rep=5"], ["ECONNREFUSED"]),
    (["rep=6"], ["ETIMEDOUT"]),
    (["rep=7"], ["ECONNREFUSED"]),
    (["rep=8"], ["EAFNOSUPPORT"]),
    (["rep=99"], ["ECONNREFUSED", "EPROTO"]),
    (["rep-short=4"], ["EHOSTUNREACH"]),
    (["rep-short=5"], ["ECONNREFUSED"]),
    *(([f"{how}@{stage}"], GONE) for how in ("close", "reset") for stage in ("choice", "context", "level", "reply")),
    *(([f"cut@{stage}={octets}"], GONE) for stage in ("context", "level", "reply") for octets in (1, 2, 3, 4, 7)),
    (["cut@choice=1"], GONE),
    *(([f"stall@{stage}"], ["ETIMEDOUT"]) for stage in ("choice", "context", "level", "reply")),
]

FRAME = 1000
DATA = [
    # fault, good frames delivered before the end, how the stream ends
    (["replay"], 2, "ECONNRESET"),
    (["drop"], 1, "ECONNRESET"),
    (["reorder"], 1, "ECONNRESET"),
    (["alter@data"], 1, "ECONNRESET"),
    (["version@data=05"], 1, "ECONNRESET"),
    (["mtyp@data=02"], 1, "ECONNRESET"),
    (["mtyp@data=01"], 1, "ECONNRESET"),
    (["abort@data"], 1, "ECONNRESET"),
    (["empty@data"], 1, "ECONNRESET"),
    (["conf-false@data"], 1, "ECONNRESET"),
    (["plain"], 1, "ECONNRESET"),
    *(([f"cut@data={octets}"], 1, "ECONNRESET") for octets in (1, 2, 3, 4, 5, 500)),
    (["close@data"], 1, "EOF"),
    (["close@data", "frame-number=0"], 0, "EOF"),
    (["cut@data=100", "frame-number=0"], 0, "ECONNRESET"),
    (["reset@data"], None, "ECONNRESET"),  # RST may overtake what lies in the kernel
]

HARMLESS = [
    ["stray=1"], ["level-conf"], ["join"], ["split-reply"], ["empty-token@reply"], ["empty-token@data"],
    ["atyp=1"], ["atyp=3"], ["atyp=4"], ["plaintext=1", "join"], ["plaintext=7"], ["fill"], ["split"], ["fill", "split-reply"],
]


def words(value):
    return "+".join(value) if isinstance(value, list) else None


@pytest.mark.parametrize("faults, errors", HANDSHAKE, ids=words)
def test_in_the_handshake(start_server, origin, socksify, faults, errors):
    """connect fails with the errno of the table, after which the program goes on; the origin hears nothing directly."""
    server = start_server("independent", faults=faults)
    env = {"SOCKSIFY_TIMEOUT": "1"} if faults[0].startswith("stall") else None
    done = socksify.run(server, program("connect", "origin.test", origin.ports["echo"]), env=env)
    said = json.loads(done.stdout)
    assert said["error"] in errors, (said, done.stderr)
    by_the_target = faults[0].startswith("rep")
    assert len(done.stderr.splitlines()) <= 1 if by_the_target else len(done.stderr.splitlines()) == 1, done.stderr


@pytest.mark.parametrize("faults, frames, end", DATA, ids=words)
def test_in_the_data(start_server, origin, socksify, faults, frames, end):
    """Good octets before the fault are delivered, none after it, and it is never mistaken for the end of the stream."""
    server = start_server("independent", faults=[*faults, f"plaintext={FRAME}", "fill"])
    done = socksify.run(server, program("receive", "origin.test", origin.ports["stream"], f"{FRAME * 20} fault"))
    said = json.loads(done.stdout)
    assert said["error"] is None and said["end"] == end, (said, done.stderr)
    if frames is not None:
        assert said["octets"] == frames * FRAME
        assert said["sha256"] == payload.sha256(frames * FRAME, "fault")
    else:
        assert said["octets"] in (0, FRAME)


@pytest.mark.parametrize("faults", HARMLESS, ids=words)
def test_tolerated(start_server, origin, socksify, faults):
    """Odd but allowed: the stream is intact. The greeter speaks first, so a reply can share its frame with data."""
    server = start_server("independent", faults=faults)
    size = 20_000 if "split" in faults or "plaintext=1" in faults else 200_000
    if "join" not in faults:
        done = socksify.run(server, program("receive", "origin.test", origin.ports["stream"], f"{size} odd"))
        said = json.loads(done.stdout)
        assert (said["octets"], said["end"], said["sha256"]) == (size, "EOF", payload.sha256(size, "odd")), (said, done.stderr)
    else:
        lines = b"".join(b"%06d " % n + payload.MARKER + b"\n" for n in range(4096))
        done = socksify.run(server, program("receive", "origin.test", origin.ports["greeter"]))
        said = json.loads(done.stdout)
        assert (said["octets"], said["end"]) == (len(lines), "EOF"), (said, done.stderr)
        assert said["sha256"] == hashlib.sha256(lines).hexdigest()
    assert done.stderr == ""


def test_integrity_tolerates_encryption(start_server, origin, socksify):
    """At level 1 a token with conf TRUE is accepted (protocol.md §1), the reply's and the data's."""
    server = start_server("independent", faults=["conf-true"])
    done = socksify.run(server, program("receive", "origin.test", origin.ports["stream"], "50000 odd"), level="integrity")
    said = json.loads(done.stdout)
    assert (said.get("octets"), said.get("end")) == (50_000, "EOF"), (said, done.stderr)


def test_nec(start_server, origin, socksify):
    server = start_server("independent")
    nec = start_server("independent", options=["--nec"])
    ask = program("receive", "origin.test", origin.ports["stream"], "50000 nec")
    for level in ("integrity", "confidentiality"):
        done = socksify.run(nec, ask, level=level, options=["--gss-nec=1"])
        said = json.loads(done.stdout)
        assert (said.get("octets"), said.get("end")) == (50_000, "EOF"), (said, done.stderr)
    assert json.loads(socksify.run(server, ask, options=["--gss-nec=1"]).stdout)["error"] is not None
    assert json.loads(socksify.run(nec, ask).stdout)["error"] is not None


def test_nec_keeps_the_minimum(start_server, origin, socksify):
    """Unauthenticated, so the local minimum still holds."""
    server = start_server("independent", options=["--nec"], levels="integrity")
    done = socksify.run(server, program("connect", "origin.test", origin.ports["echo"]), options=["--gss-nec=1"])
    assert json.loads(done.stdout)["error"] == "EACCES", done.stderr
