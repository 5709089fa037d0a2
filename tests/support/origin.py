#!/usr/bin/python3
"""Origins: what stands behind the SOCKS server. HTTP and small TCP services, each on its own loopback port.

Says `listening on ADDR:PORT` for HTTP and one JSON `ports` event; with --events one `accept` event per connection, by
which a test knows who came and that nobody else did.
"""

import argparse
import hashlib
import json
import socket
import socketserver
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support import payload  # noqa: E402

PAGE = b"<html><body><h1>It works</h1>" + payload.MARKER + b"</body></html>\n"
LINE = b"".join(b"%06d " % n + payload.MARKER + b"\n" for n in range(4096))
_print = threading.Lock()
_events = False


def event(kind, **fields):
    if _events:
        with _print:
            print(json.dumps({"event": kind, **fields}), flush=True)


class Http(BaseHTTPRequestHandler):
    """GET /page; GET /random/SIZE[/SEED]; PUT or POST anything -> its SHA-256 in hex."""

    name = "http"
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def _answer(self, body, kind="text/html"):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        parts = self.path.strip("/").split("/")
        if parts[0] == "random":
            size, seed = int(parts[1]), parts[2] if len(parts) > 2 else "payload"
            self.send_response(200)
            self.send_header("Content-Type", "application/octet-stream")
            self.send_header("Content-Length", str(size))
            self.end_headers()
            for piece in payload.chunks(size, seed):
                self.wfile.write(piece)
        elif parts[0] == "page":
            self._answer(PAGE)
        else:
            self.send_error(404)

    def _body(self):
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            while size := int(self.rfile.readline().split(b";")[0], 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return
        left = int(self.headers.get("Content-Length", "0"))
        while left > 0:
            piece = self.rfile.read(min(left, 1 << 18))
            if not piece:
                raise ConnectionError("upload cut short")
            left -= len(piece)
            yield piece

    def do_PUT(self):
        digest = hashlib.sha256()
        for piece in self._body():
            digest.update(piece)
        event("upload", sha256=digest.hexdigest())
        self._answer(digest.hexdigest().encode() + b"\n", "text/plain")

    do_POST = do_PUT


class Tcp(socketserver.BaseRequestHandler):
    """Base of the small services: `name` is how tests ask for the port."""

    name = "tcp"

    def setup(self):
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def handle(self):
        try:
            self.serve(self.request)
        except OSError as error:
            event("broken", service=self.name, error=error.errno)

    def drain(self, connection):
        digest, octets = hashlib.sha256(), 0
        while data := connection.recv(1 << 18):
            digest.update(data)
            octets += len(data)
        return digest.hexdigest(), octets


class Echo(Tcp):
    """Everything back, then FIN for FIN."""

    name = "echo"

    def serve(self, connection):
        octets = 0
        while data := connection.recv(1 << 16):
            connection.sendall(data)
            octets += len(data)
        event("eof", service=self.name, octets=octets)
        connection.shutdown(socket.SHUT_WR)


class Discard(Tcp):
    """Reads to the end and says nothing."""

    name = "discard"

    def serve(self, connection):
        digest, octets = self.drain(connection)
        event("eof", service=self.name, octets=octets, sha256=digest)


class Digest(Tcp):
    """Reads to the client's FIN, then answers the SHA-256: only a half-close that arrives gets an answer."""

    name = "digest"

    def serve(self, connection):
        digest, octets = self.drain(connection)
        event("eof", service=self.name, octets=octets, sha256=digest)
        connection.sendall(digest.encode() + b"\n")


class Chargen(Tcp):
    """Numbered lines with the marker, without end."""

    name = "chargen"

    def serve(self, connection):
        while True:
            connection.sendall(LINE)


class Greeter(Tcp):
    """Speaks first: a page of lines and FIN at once, then hears the client out (half-close in the other direction)."""

    name = "greeter"

    def serve(self, connection):
        connection.sendall(LINE)
        connection.shutdown(socket.SHUT_WR)
        digest, octets = self.drain(connection)
        event("eof", service=self.name, octets=octets, sha256=digest)


class Stream(Tcp):
    """On a line `SIZE SEED` answers that many octets of the stream; then hears the client out."""

    name = "stream"

    def serve(self, connection):
        with connection.makefile("rb") as reader:
            size, seed = reader.readline().split()
        for piece in payload.chunks(int(size), seed.decode()):
            connection.sendall(piece)
        connection.shutdown(socket.SHUT_WR)
        self.drain(connection)


class Announced:
    """Tells of every connection in the order of accept, before any thread has it."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 1024

    def process_request(self, request, client_address):
        event("accept", service=self.RequestHandlerClass.name, peer=list(client_address[:2]))
        super().process_request(request, client_address)

    def handle_error(self, request, client_address):
        event("broken", peer=list(client_address[:2]), error=repr(sys.exc_info()[1]))


class TcpServer(Announced, socketserver.ThreadingTCPServer):
    pass


class TcpServer6(TcpServer):
    address_family = socket.AF_INET6


class HttpServer(Announced, ThreadingHTTPServer):
    pass


def main():
    global _events
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--address", default="127.0.0.1")
    parser.add_argument("--events", action="store_true")
    options = parser.parse_args()
    _events = options.events

    http = HttpServer((options.address, 0), Http)
    ports = {"http": http.server_address[1]}
    for service in (Echo, Discard, Digest, Chargen, Greeter, Stream):
        server = TcpServer((options.address, 0), service)
        ports[service.name] = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        echo6 = TcpServer6(("::1", 0), Echo)
        ports["echo6"] = echo6.server_address[1]
        threading.Thread(target=echo6.serve_forever, daemon=True).start()
    except OSError:
        pass  # no IPv6 loopback here
    print(json.dumps({"event": "ports", **ports}), flush=True)
    print(f"listening on {options.address}:{ports['http']}", flush=True)
    http.serve_forever()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
