#!/usr/bin/python3
"""The scripted peer of the probes, by TCP and, at the same port, by UDP (udp_peer.py).

The first line that a probe sends names the script; everything after it is
triggered by octets, never by a clock. Scripts:

  echo                  every octet back, close at EOF
  discard               read until EOF, close
  close-now             close at once
  reset                 close at once with a reset
  reset-after           wait for one octet, then reset
  say TEXT              TEXT, then read until EOF, close
  say-reset TEXT KEY    TEXT, then a reset, and keep KEY
  parts A B C           A, then one more part for every octet that comes, then close on one octet more
  send N                N octets of the pattern, close
  bulk N                N octets of the pattern, then read until EOF, close
  digest                read until EOF, answer "N CRC", close
  acks N                for every N octets that come answer "+" until EOF, close
  half-close KEY [ON [GO]]  end our direction at once, or on `release ON`, read until EOF, perhaps
                        from `release GO` on, keep N and CRC
  stash KEY             wait for `release KEY`, read until EOF, keep N and CRC
  hold KEY              wait for `release KEY`, then as digest
  on KEY TEXT           wait for `release KEY`, then as say
  release KEY           let the holder of KEY go on, answer "ok", close
  fetch KEY             wait until KEY was kept, answer "N CRC", close
  udp-ports N           N more ports of UDP that do as this one, answer "PORT PORT ...", close
  udp-refuses           a port of UDP that refuses, answer "PORT", close
  call HOST PORT NAME   connect there and run script NAME on that connection; answer our port of it at once, close

Run alone it prints its port and serves until its standard input ends.
"""
import errno
import socket
import struct
import sys
import threading
import zlib

from udp_peer import UdpPeer

PATIENCE = 30.0  # longer than the hang guard of a probe

_PERIOD = 65521
_PATTERN = bytes((i * 31 + (i >> 8) * 17) & 0xFF for i in range(_PERIOD))


def pattern(count):
    """The first `count` octets of the pattern, as pattern() in probe.h."""
    return (_PATTERN * (count // _PERIOD + 1))[:count]


class Board:
    """What one connection leaves for another, by key."""

    def __init__(self):
        self._changed = threading.Condition()
        self._released = set()
        self._kept = {}

    def release(self, key):
        with self._changed:
            self._released.add(key)
            self._changed.notify_all()

    def await_release(self, key):
        with self._changed:
            self._changed.wait_for(lambda: key in self._released, PATIENCE)
            self._released.discard(key)

    def keep(self, key, text):
        with self._changed:
            self._kept[key] = text
            self._changed.notify_all()

    def fetch(self, key):
        with self._changed:
            self._changed.wait_for(lambda: key in self._kept, PATIENCE)
            return self._kept.pop(key, "nothing")


class Peer:
    """Listens on 127.0.0.1 and, where there is one, on the same port of ::1; by UDP too."""

    def __init__(self):
        self._board = Board()
        self._listeners = []
        self._udp = UdpPeer(self._board, pattern)
        for _ in range(50):
            four = socket.create_server(("127.0.0.1", 0), backlog=256)
            self.port = four.getsockname()[1]
            try:
                self._udp.serve(self.port)
                six = socket.create_server(("::1", self.port), family=socket.AF_INET6, backlog=256)
            except OSError as problem:
                if getattr(problem, "errno", None) == errno.EADDRINUSE:  # another port then
                    four.close()
                    continue
                self._listeners = [four]
            else:
                self._listeners = [four, six]
            break
        for listener in self._listeners:
            threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def close(self):
        for listener in self._listeners:
            listener.close()

    def _accept(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            connection.settimeout(PATIENCE)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            words = _line(connection).split()
            if words:
                self._run(connection, *words)
        except OSError:
            pass
        finally:
            connection.close()

    def _run(self, connection, name, *words):
        getattr(self, "_do_" + name.replace("-", "_"))(connection, *words)

    def _do_echo(self, connection):
        while octets := connection.recv(65536):
            connection.sendall(octets)

    def _do_discard(self, connection):
        _drain(connection)

    def _do_close_now(self, connection):
        pass

    def _do_reset(self, connection):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _do_reset_after(self, connection):
        connection.recv(1)
        self._do_reset(connection)

    def _do_say(self, connection, text):
        connection.sendall(text.encode())
        _drain(connection)

    def _do_say_reset(self, connection, text, key):
        connection.sendall(text.encode())
        self._do_reset(connection)
        connection.close()
        self._board.keep(key, text)

    def _do_parts(self, connection, *parts):
        for part in parts:
            connection.sendall(part.encode())
            if not connection.recv(1):
                return

    def _do_send(self, connection, count):
        connection.sendall(pattern(int(count)))

    def _do_bulk(self, connection, count):
        connection.sendall(pattern(int(count)))
        _drain(connection)

    def _do_digest(self, connection):
        connection.sendall(_drain(connection).encode())

    def _do_acks(self, connection, count):
        missing = int(count)
        while octets := connection.recv(missing):
            missing -= len(octets)
            if not missing:
                connection.sendall(b"+")
                missing = int(count)

    def _do_half_close(self, connection, key, on=None, go=None):
        if on:
            self._board.await_release(on)
        connection.shutdown(socket.SHUT_WR)
        if go:
            self._board.await_release(go)
        self._board.keep(key, _drain(connection))

    def _do_stash(self, connection, key):
        self._board.await_release(key)
        self._board.keep(key, _drain(connection))

    def _do_hold(self, connection, key):
        self._board.await_release(key)
        self._do_digest(connection)

    def _do_on(self, connection, key, text):
        self._board.await_release(key)
        self._do_say(connection, text)

    def _do_release(self, connection, key):
        self._board.release(key)
        connection.sendall(b"ok")

    def _do_fetch(self, connection, key):
        connection.sendall(self._board.fetch(key).encode())

    def _do_udp_ports(self, connection, count):
        connection.sendall(" ".join(str(self._udp.serve()) for _ in range(int(count))).encode())

    def _do_udp_refuses(self, connection):
        connection.sendall(str(self._udp.refusing()).encode())

    def _do_call(self, connection, host, port, name, *words):
        with socket.create_connection((host, int(port)), PATIENCE) as called:
            called.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(str(called.getsockname()[1]).encode())
            connection.shutdown(socket.SHUT_WR)
            self._run(called, name, *words)


def _line(connection):
    line = b""
    while not line.endswith(b"\n"):
        octet = connection.recv(1)
        if not octet:
            return ""
        line += octet
    return line.decode()


def _drain(connection):
    """Reads to the end; "N CRC" of what came, "N CRC reset" if it ended in an error."""
    count, crc, end = 0, 0, ""
    try:
        while octets := connection.recv(65536):
            count += len(octets)
            crc = zlib.crc32(octets, crc)
    except OSError:
        end = " reset"
    return f"{count} {crc:08x}{end}"


if __name__ == "__main__":
    print(Peer().port, flush=True)
    sys.stdin.read()
