"""Who the client says it is inside TLS, and by the methods of that name outside; what the policies of both ends allow."""

import json

import pytest

from support.runner import program
from support.servers import KINDS, Tls

USER = "alice:wonderland"
CREDENTIALS = {"SOCKSIFY_USER": "alice", "SOCKSIFY_PASSWORD": "wonderland"}


@pytest.fixture(params=KINDS)
def ssl_server(request, start_server, pki):
    """`ssl_server(subauth="userpass")`"""
    def start(methods="ssl", **tls):
        return start_server(request.param, methods=methods, tls=Tls(pki, **tls), user=USER)

    return start


def attempt(server, origin, socksify, env, options=()):
    done = socksify.run(server, program("connect", "127.0.0.1", origin.ports["echo"]), env=CREDENTIALS | env,
                        options=options)
    return json.loads(done.stdout)["error"], done.stderr


def let_in(*what, **more):
    assert attempt(*what, **more) == (None, "")


def refused(server, origin, socksify, env, word="", errors=("EACCES",)):
    with origin.untouched("echo"):
        error, line = attempt(server, origin, socksify, env)
    assert error in errors, (error, line)
    assert len(line.splitlines()) == 1 and word in line, line
    assert "wonderland" not in line
    return line


@pytest.mark.parametrize("method", ["userpass", "chap"])
def test_let_in(ssl_server, origin, socksify, method):
    let_in(ssl_server(subauth=method), origin, socksify, {"SOCKSIFY_SUBAUTH": method})


@pytest.mark.parametrize("method", ["userpass", "chap"])
@pytest.mark.parametrize("wrong", [{"SOCKSIFY_PASSWORD": "Wonderland"}, {"SOCKSIFY_USER": "bob"}], ids=["password", "user"])
def test_failed(ssl_server, origin, socksify, method, wrong):
    """The method's failure, then an orderly end: one line that names the user, never the password."""
    refused(ssl_server(subauth=method), origin, socksify, wrong | {"SOCKSIFY_SUBAUTH": method},
            word=wrong.get("SOCKSIFY_USER", "alice"))


@pytest.mark.parametrize("required", ["userpass", "chap"])
def test_required_but_not_offered(ssl_server, origin, socksify, required):
    """socksd-gss says access_denied; OpenSSL cannot, and only closes."""
    server = ssl_server(subauth=required)
    errors = ("EACCES",) if server.kind == "socksd-gss" else ("ECONNRESET", "EACCES")
    refused(server, origin, socksify, {"SOCKSIFY_SUBAUTH": ""}, errors=errors)


@pytest.mark.parametrize("required, offered", [("userpass", "chap"), ("chap", "userpass"), ("chap,userpass", "none")])
def test_none_in_common(ssl_server, origin, socksify, required, offered):
    refused(ssl_server(subauth=required), origin, socksify, {"SOCKSIFY_SUBAUTH": offered})


def test_offered_but_not_required(ssl_server, origin, socksify):
    """The server answers the empty list: no subauthentication, and the certificate was enough."""
    let_in(ssl_server(), origin, socksify, {"SOCKSIFY_SUBAUTH": "userpass,chap"})


@pytest.mark.parametrize("theirs, ours, chosen", [
    ("userpass,chap", "chap,userpass", 2), ("chap,userpass", "userpass,chap", 3), ("chap", "userpass,chap", 3)])
def test_order(start_server, origin, socksify, pki, theirs, ours, chosen):
    """We offer in our order, the server chooses in its own."""
    server = start_server("independent", methods="ssl", tls=Tls(pki, subauth=theirs), user=USER)
    mark = server.mark()
    let_in(server, origin, socksify, {"SOCKSIFY_SUBAUTH": ours})
    subauth = server.await_event("subauth", mark)
    assert subauth["offered"] == [{"userpass": 2, "chap": 3}[name] for name in ours.split(",")]
    assert subauth["chosen"] == chosen


def test_what_is_offered_by_default(start_server, origin, socksify, pki):
    """Empty: the option is not offered, whatever user is configured."""
    server = start_server("independent", methods="ssl", tls=Tls(pki), user=USER)
    for setting, offered in ({"SOCKSIFY_SUBAUTH": ""}, []), ({"SOCKSIFY_SUBAUTH": "chap"}, [1]):
        mark = server.mark()
        let_in(server, origin, socksify, setting)
        assert server.await_event("options", mark)["offered"] == offered


def test_resumption_never_carries_it(start_server, origin, socksify, pki):
    """Every connection of a program says again who it is, though its TLS session is resumed."""
    server = start_server("independent", methods="ssl", tls=Tls(pki, subauth="userpass"), user=USER)
    mark = server.mark()
    done = socksify.run(server, program("one_after_another", "origin.test", origin.ports["echo"], 5, 1000),
                        env=CREDENTIALS | {"SOCKSIFY_SUBAUTH": "userpass"})
    assert json.loads(done.stdout) == {"good": 5}, done.stderr
    assert [event["accepted"] for event in server.since(mark, "userpass")] == [True] * 5
    assert [event["resumed"] for event in server.since(mark, "tls")] == [False] + [True] * 4


@pytest.mark.parametrize("method", ["userpass", "chap"])
@pytest.mark.parametrize("kind", KINDS)
def test_methods_of_their_own(start_server, origin, socksify, kind, method):
    server = start_server(kind, methods=method, user=USER)
    let_in(server, origin, socksify, {})
    refused(server, origin, socksify, {"SOCKSIFY_PASSWORD": "Wonderland"}, word="alice")
    for other in {"userpass", "chap", "ssl"} - {method}:
        refused(server, origin, socksify, {"SOCKSIFY_METHODS": other})


@pytest.mark.parametrize("listed, served", [
    ("ssl", "gssapi"), ("ssl", "none"), ("gssapi", "ssl"), ("ssl,gssapi", "userpass")])
@pytest.mark.parametrize("kind", KINDS)
def test_a_method_outside_the_list(start_server, origin, socksify, pki, kind, listed, served):
    server = start_server(kind, methods=served, tls=Tls(pki) if served == "ssl" else None, user=USER)
    refused(server, origin, socksify, {"SOCKSIFY_METHODS": listed})


@pytest.mark.parametrize("listed, served, chosen", [
    ("ssl,gssapi", "gssapi", 1), ("gssapi,ssl", "ssl", 0x86), ("ssl,none", "none", 0)])
def test_the_list_as_a_whole_is_good(start_server, origin, socksify, pki, listed, served, chosen):
    server = start_server("independent", methods=served, tls=Tls(pki), user=USER)
    mark = server.mark()
    let_in(server, origin, socksify, {"SOCKSIFY_METHODS": listed})
    assert server.await_event("method", mark)["chosen"] == chosen


def test_no_user_is_an_error_of_the_settings(ssl_server, origin, socksify):
    done = socksify.run(ssl_server(subauth="userpass"), program("connect", "127.0.0.1", origin.ports["echo"]),
                        env={"SOCKSIFY_SUBAUTH": "userpass"})
    assert done.returncode == 125 or json.loads(done.stdout)["error"] == "EACCES", done
    assert len(done.stderr.splitlines()) == 1 and "user" in done.stderr, done.stderr
