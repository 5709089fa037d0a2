"""What languages' own libraries do with sockets. Each program (../programs) checks its octets and says so as JSON."""

import json

import pytest

from support import payload
from support.runner import PROGRAMS, program

MANY = 100


def said(done):
    return json.loads(done.stdout)


@pytest.mark.both_levels
def test_python_urllib(wrapped, http):
    done = wrapped.run(program("urls", http.random(3_000_000, "urllib"), http.url("upload")))
    digest = payload.sha256(3_000_000, "urllib")
    assert said(done) == {"octets": 3_000_000, "sha256": digest, "uploaded": digest}


def test_python_asyncio(wrapped, echo):
    assert said(wrapped.run(program("async_many", echo.host, echo.port, MANY, 20_000))) == {"good": MANY, "failures": []}


def test_python_threads(wrapped, echo):
    assert said(wrapped.run(program("threads", echo.host, echo.port, 32, 200_000))) == {"failures": []}


@pytest.mark.parametrize("way", ["makefile", "selectors", "sendfile"])
def test_python_socket(wrapped, echo, way):
    assert said(wrapped.run(program("echo_ways", echo.host, echo.port, way))) == {"echoed": True}


def test_python_child_stdin(wrapped, services):
    """A child whose standard input is the socket, another whose standard output it is."""
    stream, digest = services["stream"], services["digest"]
    done = wrapped.run(program("child_streams", stream.host, stream.port, digest.port))
    assert said(done) == {"read": payload.sha256(1_000_000, "child"), "written": payload.sha256(1_000_000, "child")}


def test_python_multiprocessing(wrapped, echo):
    assert said(wrapped.run(program("multiprocess", echo.host, echo.port, 4))) == {"failures": []}


@pytest.mark.parametrize("way", ["http", "fetch"])
def test_node(wrapped, http, way):
    size, digest = 3_000_000, payload.sha256(3_000_000, "node")
    done = wrapped.run(["node", PROGRAMS / "transfer.mjs", way, http.random(size, "node"), http.url("upload")])
    assert said(done) == {"octets": size, "sha256": digest, "uploaded": digest}


def test_node_many(wrapped, echo):
    done = wrapped.run(["node", PROGRAMS / "many.mjs", echo.host, echo.port, MANY, 20_000])
    assert said(done) == {"good": MANY, "failures": []}


@pytest.mark.parametrize("way", ["URLConnection", "HttpClient", "Socket", "SocketChannel"])
def test_java(wrapped, http, way):
    size, digest = 3_000_000, payload.sha256(3_000_000, "java")
    done = wrapped.run(["java", "-XX:TieredStopAtLevel=1", PROGRAMS / "Transfer.java", way, http.random(size, "java"),
                        http.url("upload")])
    assert said(done) == {"octets": size, "sha256": digest, "uploaded": digest}


def test_perl_stdio(wrapped, http):
    """print and readline, on perl's own buffers."""
    size, digest = 1_000_000, payload.sha256(1_000_000, "perl")
    done = wrapped.run(["perl", PROGRAMS / "stdio.pl", http.host, http.port, f"/random/{size}/perl"])
    assert said(done) == {"octets": size, "sha256": digest}


RUBY = "require 'net/http'; require 'uri'; $stdout.binmode; $stdout.write Net::HTTP.get(URI(ARGV[0]))"
PHP = "echo file_get_contents($argv[1]);"
PHP_POST = """echo file_get_contents($argv[1], false, stream_context_create(['http' => ['method' => 'POST',
  'header' => 'Content-Type: application/octet-stream', 'content' => file_get_contents($argv[2])]]));"""
PERL = "use HTTP::Tiny; binmode STDOUT; print HTTP::Tiny->new->get($ARGV[0])->{content}"


@pytest.mark.parametrize("argv", [["ruby", "-e", RUBY], ["php", "-r", PHP], ["perl", "-e", PERL]],
                         ids=["ruby", "php", "perl"])
def test_download(wrapped, http, argv):
    assert wrapped.run([*argv, http.random(3_000_000, "L")]).stdout == payload.octets(3_000_000, "L")


def test_php_upload(wrapped, http, blob):
    done = wrapped.run(["php", "-r", PHP_POST, http.url("upload"), blob])
    assert done.stdout.decode().strip() == payload.sha256(3_000_000, "blob")
