"""nginx, wrapped, as a reverse proxy whose upstream lies behind the SOCKS server."""

import pytest

from origins import BLOB_SHA256, nginx
from support import payload
from support.process import await_port, stop

SERVERS = """\
  upstream behind {{ server {upstream}; keepalive 8; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass {scheme}://behind; proxy_http_version 1.1; proxy_set_header Connection ""; {more} }}
  }}
"""


WAYS = {
    "buffered": "",
    "unbuffered": "proxy_buffering off; proxy_request_buffering off;",
    "tls": "proxy_ssl_verify on; proxy_ssl_name {name}; proxy_ssl_trusted_certificate {ca};",
}


@pytest.fixture(params=WAYS)
def front(request, wrapped, world, http, web, tmp_path):
    """The base URL of the proxy, for clients in its namespace that are not wrapped."""
    directory, port = tmp_path / "nginx", world.port()
    directory.mkdir()
    upstream = web.tls if request.param == "tls" else http
    servers = SERVERS.format(upstream=upstream.address, scheme=upstream.scheme, port=port,
                             more=WAYS[request.param].format(name=world.origin, ca=web.ca))
    argv = nginx(directory, servers)
    with open(tmp_path / "nginx.log", "wb") as log:
        process = wrapped.popen(argv, stdout=log, stderr=log)
    try:
        await_port("127.0.0.1", port, process, probe=world.prober("client"))
        yield f"http://127.0.0.1:{port}"
    finally:
        stop(process)
        assert "socksify-gss" not in (tmp_path / "nginx.log").read_text()


def test_nginx_reverse_proxy(wrapped, front, blob, tmp_path):
    curl = ["curl", "-sS", "--fail"]
    wrapped.direct([*curl, "-Z", "--parallel-max", "30", "-o", tmp_path / "#1", f"{front}/random/300000/[1-30]"])
    for number in range(1, 31):
        assert (tmp_path / str(number)).read_bytes() == payload.octets(300_000, number)
    for _ in range(3):
        assert wrapped.direct([*curl, "-T", blob, f"{front}/upload"]).stdout.decode().strip() == BLOB_SHA256
