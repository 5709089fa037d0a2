"""Echoes 1 MB by another of Python's ways to use a socket: HOST PORT makefile|selectors|sendfile."""

import random
import selectors
import socket
import tempfile
import threading

from common import arguments, say

DATA = random.Random(0).randbytes(1_000_000)


def makefile(connection):
    """A buffered file for each direction, lines first."""
    with connection.makefile("rb") as reader, connection.makefile("wb") as writer:
        for number in range(100):
            writer.write(b"line %d\n" % number)
            writer.flush()
            if reader.readline() != b"line %d\n" % number:
                return b""
        sender = threading.Thread(target=lambda: (writer.write(DATA), writer.flush(), connection.shutdown(socket.SHUT_WR)))
        sender.start()
        received = reader.read()
        sender.join()
        return received


def by_selectors(connection):
    """One thread, non-blocking, both directions."""
    connection.setblocking(False)
    received, sent = bytearray(), 0
    with selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_READ | selectors.EVENT_WRITE)
        while True:
            for _, events in selector.select():
                if events & selectors.EVENT_WRITE:
                    sent += connection.send(DATA[sent:sent + 100_000])
                    if sent == len(DATA):
                        connection.shutdown(socket.SHUT_WR)
                        selector.modify(connection, selectors.EVENT_READ)
                if events & selectors.EVENT_READ:
                    piece = connection.recv(50_000)
                    if not piece:
                        return bytes(received)
                    received += piece


def sendfile(connection):
    """socket.sendfile, and recv_into."""
    with tempfile.TemporaryFile() as file:
        file.write(DATA)
        file.seek(0)
        sender = threading.Thread(target=lambda: (connection.sendfile(file), connection.shutdown(socket.SHUT_WR)))
        sender.start()
        received, buffer = bytearray(), bytearray(70_000)
        while count := connection.recv_into(buffer):
            received += buffer[:count]
        sender.join()
        return bytes(received)


host, port, (way,) = arguments()
with socket.create_connection((host, port)) as wire:
    echoed = {"makefile": makefile, "selectors": by_selectors, "sendfile": sendfile}[way](wire)
say(echoed=echoed == DATA)
