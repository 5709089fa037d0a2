"""When it cannot work: the right errno, one line on stderr, nothing direct (interface.md, protocol.md §4)."""

import json
import socket
import subprocess

import pytest

from support import namespace
from support.process import HANG, free_port
from support.runner import program
from support.servers import KINDS, built

IN_HANDSHAKE = ("ECONNREFUSED", "ECONNRESET", "EPROTO")  # the server goes away before its reply


def fail(socksify, origin, server, *, env=None, options=(), level="confidentiality", errors, host="127.0.0.1", lines=1):
    """A blocking connect that must fail with one of `errors`; the origin, though reachable directly, hears nothing."""
    with origin.untouched("echo"):
        done = socksify.run(server, program("connect", host, origin.ports["echo"]), env=env, options=options, level=level)
    said = json.loads(done.stdout)
    assert said["error"] in errors, (said, done.stderr)
    assert len(done.stderr.splitlines()) == lines, done.stderr
    return done.stderr


def test_no_ticket(server, origin, realm, socksify):
    message = fail(socksify, origin, server, env=realm.no_ticket_env(), errors=["EACCES"])
    assert "kinit" in message


def test_expired_ticket(server, origin, realm, socksify):
    message = fail(socksify, origin, server, env=realm.expired_env(), errors=["EACCES"])
    assert "kinit" in message


def test_unknown_service(server, origin, socksify):
    fail(socksify, origin, server, options=["--gss-service", "nosuch"], errors=["EACCES"])


@pytest.mark.parametrize("kind", KINDS)
def test_server_with_another_key(start_server, origin, realm, socksify, tmp_path, kind):
    """The KDC gives a ticket for socks/127.0.0.1, but this server holds the key of another name: `01 FF`."""
    realm.add_principal(f"socks/{kind}.elsewhere.test")
    keytab = realm.ktadd(f"socks/{kind}.elsewhere.test", tmp_path / "other.keytab")
    fail(socksify, origin, start_server(kind, keytab=keytab), errors=["EACCES"])


@pytest.mark.parametrize("kind", KINDS)
def test_level_refused(start_server, origin, socksify, kind):
    """We ask for confidentiality, the server agrees to integrity at most: the client closes (RFC 1961 §4.4)."""
    fail(socksify, origin, start_server(kind, levels="integrity"), errors=["EACCES"])


@pytest.mark.parametrize("kind", KINDS)
def test_higher_level_than_asked_is_accepted(start_server, origin, socksify, kind):
    """The level asked for is the least accepted: a server that insists on confidentiality is fine."""
    done = socksify.run(start_server(kind, levels="confidentiality"), program("connect", "127.0.0.1", origin.ports["echo"]),
                        level="integrity")
    assert json.loads(done.stdout)["error"] is None, done.stderr
    assert done.stderr == ""


@pytest.mark.parametrize("kind", KINDS)
def test_method_refused(start_server, origin, socksify, kind):
    fail(socksify, origin, start_server(kind, methods="none"), errors=["EACCES"])


def test_server_down(origin, socksify):
    fail(socksify, origin, f"127.0.0.1:{free_port()}", errors=["ECONNREFUSED"])


def test_second_server_is_tried(server, origin, socksify):
    done = socksify.run(f"127.0.0.1:{free_port()},{server.address}", program("connect", "127.0.0.1", origin.ports["echo"]))
    assert json.loads(done.stdout)["error"] is None, done.stderr


@namespace.needed
def test_second_address_of_the_server_is_tried(independent, origin, realm, socksify, tmp_path):
    """The server's name has an address where nobody listens before the one where it does."""
    realm.add_principal("socks/multi.test")
    realm.ktadd("socks/multi.test")
    (tmp_path / "hosts").write_text("127.0.0.99 multi.test\n127.0.0.1 multi.test\n")
    argv = namespace.with_hosts(tmp_path / "hosts", [
        built("socksify-gss"), "-s", f"multi.test:{independent.port}", *program("connect", "127.0.0.1", origin.ports["echo"])])
    done = subprocess.run(argv, env=socksify.env(), capture_output=True, text=True, timeout=HANG, check=False)
    assert json.loads(done.stdout)["error"] is None, done.stderr
    assert done.stderr == ""


def test_server_that_never_answers(origin, socksify):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        fail(socksify, origin, address, env={"SOCKSIFY_TIMEOUT": "1"}, errors=["ETIMEDOUT"])


def test_kdc_unreachable(independent, origin, realm, socksify):
    """The deadline is one for the whole negotiation, the ticket included."""
    fail(socksify, origin, independent, env=realm.unreachable_env() | {"SOCKSIFY_TIMEOUT": "2"}, errors=["ETIMEDOUT"])


def test_kdc_down(server, origin, realm, socksify):
    fail(socksify, origin, server, env=realm.refused_env(), errors=["EACCES"])


def test_server_name_unknown(origin, socksify):
    fail(socksify, origin, "no-such-server.invalid:1080", errors=["EHOSTUNREACH", "ENETUNREACH", "ECONNREFUSED", "EACCES"])


def test_the_line_comes_once_per_process(origin, realm, socksify, server):
    """Fifty failing connects for the same reason: one line."""
    with origin.untouched("echo"):
        done = socksify.run(server, program("threads", "127.0.0.1", origin.ports["echo"], 50, 10), env=realm.no_ticket_env())
    assert len(json.loads(done.stdout)["failures"]) == 50
    assert len(done.stderr.splitlines()) == 1, done.stderr


def test_quiet_and_log_file(origin, realm, socksify, server, tmp_path):
    fail(socksify, origin, server, env=realm.no_ticket_env(), options=["-q"], errors=["EACCES"], lines=0)
    log = tmp_path / "log"
    fail(socksify, origin, server, env=realm.no_ticket_env(), options=["--log-file", str(log)], errors=["EACCES"], lines=0)
    assert len(log.read_text().splitlines()) == 1


def test_target_refused_needs_no_line(server, socksify):
    """REP 05 is the target's answer, not ours: ECONNREFUSED as a direct connect would say, and silence."""
    done = socksify.run(server, program("connect", "127.0.0.1", free_port()))
    assert json.loads(done.stdout)["error"] == "ECONNREFUSED"
    assert done.stderr == ""


def test_unknown_target_name(server, socksify):
    done = socksify.run(server, program("connect", "no-such-name.invalid", 80))
    assert json.loads(done.stdout)["error"] in ("EHOSTUNREACH", "ECONNREFUSED"), done.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_server_killed_in_the_middle(start_server, origin, socksify, kind):
    """SIGKILL while data flows: what came is good, then EOF at a frame boundary or ECONNRESET; the next connect fails."""
    running = start_server(kind, listen=f"127.0.0.1:{free_port()}")
    with socksify.popen(running, program("interrupted", running.target, origin.ports["chargen"])) as process:
        assert json.loads(process.stdout.readline()) == {"ready": True}
        running.kill()
        said = json.loads(process.stdout.readline())
        error = process.stderr.read().decode()
    assert said["good"] and said["octets"] > 0
    assert said["end"] in ("ECONNRESET", "EOF"), said
    assert len(error.splitlines()) <= 1, error
    fail(socksify, origin, running, errors=["ECONNREFUSED"])


@pytest.mark.parametrize("stage", ["choice", "context", "level", "reply"])
def test_server_killed_in_the_handshake(start_server, origin, socksify, stage):
    running = start_server("independent", faults=[f"stall@{stage}"])
    with origin.untouched(*([] if stage == "reply" else ["echo"])):
        with socksify.popen(running, program("connect", "127.0.0.1", origin.ports["echo"])) as process:
            running.await_event("stalled", stage=stage)
            running.kill()
            said = json.loads(process.stdout.readline())
            error = process.stderr.read().decode()
    assert said["error"] in IN_HANDSHAKE, (said, error)
    assert len(error.splitlines()) == 1, error


def test_program_killed_leaves_the_server_well(server, origin, socksify):
    for _ in range(3):
        with socksify.popen(server, program("interrupted", server.target, origin.ports["chargen"])) as process:
            process.stdout.readline()
            process.kill()
    done = socksify.run(server, program("connect", "127.0.0.1", origin.ports["echo"]))
    assert json.loads(done.stdout)["error"] is None


def test_without_a_server_nothing_runs(origin, socksify):
    """No server anywhere in the settings: 125, and the command is not started."""
    with origin.untouched("echo"):
        done = socksify.run(None, program("connect", "127.0.0.1", origin.ports["echo"]))
    assert done.returncode == 125 and done.stdout == b"", done


def test_bypass_goes_direct(server, origin, socksify):
    """The oracle of `untouched`: with a bypass the same program does arrive directly."""
    mark = origin.mark()
    done = socksify.run(server, ["sh", "-c", 'exec "$@"', "sh", *program("connect", "127.0.0.1", origin.ports["echo"])],
                        env={"SOCKSIFY_BYPASS": "127.0.0.0/8"})
    assert json.loads(done.stdout)["error"] is None
    origin.await_event("accept", mark, service="echo")
