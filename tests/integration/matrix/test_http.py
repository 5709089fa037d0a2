"""curl, wget and other clients of HTTP, plain and over TLS."""

import hashlib

import pytest

from origins import BLOB, BLOB_SHA256
from support import payload

CURL = ["curl", "-sS", "--fail", "--noproxy", "*"]
MEGABYTE = 1_000_000


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.both_levels
def test_curl(wrapped, http):
    assert wrapped.run([*CURL, http.random(5 * MEGABYTE, "curl")]).stdout == payload.octets(5 * MEGABYTE, "curl")


@pytest.mark.both_levels
def test_curl_parallel(wrapped, http, tmp_path):
    wrapped.run([*CURL, "-Z", "--parallel-max", "50", "--parallel-immediate", "-o", tmp_path / "#1",
                 http.random(200_000, "[1-50]")])
    for number in range(1, 51):
        assert sha256(tmp_path / str(number)) == payload.sha256(200_000, number), number


@pytest.mark.parametrize("how", [("-T",), ("--data-binary",), ("-H", "Transfer-Encoding: chunked", "-T")],
                         ids=["put", "post", "chunked"])
def test_curl_upload(wrapped, http, blob, how):
    file = f"@{blob}" if how[-1] == "--data-binary" else blob
    done = wrapped.run([*CURL, *how, file, http.url("upload")])
    assert done.stdout.decode().strip() == BLOB_SHA256


@pytest.mark.both_levels
def test_curl_http2(wrapped, web, blob, tmp_path):
    tls = [*CURL, "--cacert", web.ca, "--http2", "-w", "%{http_version} "]
    done = wrapped.run([*tls, "-Z", "-o", tmp_path / "#1", web.tls.random(200_000, "[1-20]")])
    assert done.stdout.split() == [b"2"] * 20
    for number in range(1, 21):
        assert sha256(tmp_path / str(number)) == payload.sha256(200_000, number), number
    assert wrapped.run([*tls, "-T", blob, web.tls.url("upload")]).stdout.decode().split() == [BLOB_SHA256, "2"]


def test_wget(wrapped, http, web, tmp_path):
    wget = ["wget", "-q", "-O", "-"]
    assert wrapped.run([*wget, http.random(5 * MEGABYTE, "wget")]).stdout == payload.octets(5 * MEGABYTE, "wget")
    secure = [*wget, f"--ca-certificate={web.ca}", web.tls.random(MEGABYTE, "wget")]
    assert wrapped.run(secure).stdout == payload.octets(MEGABYTE, "wget")


def test_wget_recursive(wrapped, web, tmp_path):
    source = web.files / "tree" / "below"
    source.mkdir(parents=True, exist_ok=True)
    for number in range(20):
        payload.write_file(source / f"{number}.bin", 20_000, number)
    wrapped.run(["wget", "-q", "-r", "-np", "-nH", "-P", tmp_path / "copy", web.url("tree/")])
    for number in range(20):
        assert (tmp_path / "copy" / "tree" / "below" / f"{number}.bin").read_bytes() == payload.octets(20_000, number)


def aria2(wrapped, web, tmp_path, *options):
    (web.files / "aria2").write_bytes(payload.octets(8 * MEGABYTE, "aria2"))
    wrapped.run(["aria2c", "-q", "-x8", "-s8", "-k1M", "--no-conf", *options, "-d", tmp_path, "-o", "copy",
                 web.url("aria2")])
    assert sha256(tmp_path / "copy") == payload.sha256(8 * MEGABYTE, "aria2")


def test_aria2(wrapped, web, tmp_path):
    aria2(wrapped, web, tmp_path, "--async-dns=false")


def test_aria2_own_resolver(wrapped, web, tmp_path):
    """c-ares: the program asks the name server itself."""
    aria2(wrapped, web, tmp_path)


def test_openssl(wrapped, web):
    request = b"GET /random/%d/openssl HTTP/1.0\r\n\r\n" % MEGABYTE
    client = ["openssl", "s_client", "-quiet", "-verify_return_error", "-CAfile", web.ca, "-connect", web.tls.address]
    done = wrapped.run(client, input=request)
    assert done.stdout.partition(b"\r\n\r\n")[2] == payload.octets(MEGABYTE, "openssl")


def test_w3m(wrapped, http):
    assert wrapped.run(["w3m", "-dump_source", http.url("page")]).stdout.startswith(b"<html><body><h1>It works</h1>")


@pytest.mark.parametrize("keepalive", [(), ("-k",)], ids=["close", "keep-alive"])
def test_ab(wrapped, web, keepalive):
    (web.files / "ab").write_bytes(payload.octets(10_000, "ab"))
    said = wrapped.run(["ab", "-q", "-s", "120", "-n", "500", "-c", "20", *keepalive, web.url("ab")]).stdout.decode()
    assert "Complete requests:      500\n" in said and "Failed requests:        0\n" in said, said
    assert "HTML transferred:       5000000 bytes" in said, said


def test_wrk(wrapped, web):
    (web.files / "wrk").write_bytes(payload.octets(10_000, "wrk"))
    said = wrapped.run(["wrk", "-t2", "-c20", "-d1s", "--timeout", "60s", web.url("wrk")]).stdout.decode()
    assert "requests in" in said and "Socket errors" not in said and "Non-2xx" not in said, said


def test_nginx_origin_serves_what_is_put_there(wrapped, web):
    (web.files / "blob").write_bytes(BLOB)
    assert wrapped.run([*CURL, web.url("blob")]).stdout == BLOB
