"""A child reads the connection as its standard input, another writes it as its output: HOST STREAM-PORT DIGEST-PORT."""

import hashlib
import socket
import subprocess

from common import arguments, say

host, port, (digest_port,) = arguments()
with socket.create_connection((host, port)) as stream:
    stream.sendall(b"1000000 child\n")
    content = subprocess.run(["cat"], stdin=stream, stdout=subprocess.PIPE, check=True).stdout
with socket.create_connection((host, int(digest_port))) as digest:
    subprocess.run(["cat"], input=content, stdout=digest, check=True)
    digest.shutdown(socket.SHUT_WR)
    written = digest.makefile().read().strip()
say(read=hashlib.sha256(content).hexdigest(), written=written)
