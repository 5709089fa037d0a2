"""The peer of the probes by UDP: a datagram is answered by what it says, never by a clock.

  #other TEXT           TEXT, from another port           #silent ...     nothing
  #many N               N datagrams: 1 to N, in figures   #size N         N octets of the pattern
  #hold KEY TEXT        TEXT once KEY is released         #digest ...     "N CRC" of the datagram
  #source KEY           "first", then whether it came from where the last of that KEY did: "same", "another"
  anything else         the datagram as it is, be it empty
"""
import contextlib
import socket
import threading
import zlib

BUFFER = 1 << 22


class UdpPeer:
    def __init__(self, board, pattern):
        self._board, self._pattern = board, pattern
        self._sources = {}
        self._kept = []  # sockets that only have to be there

    def serve(self, port=0):
        """On both loopback addresses; the port."""
        four = self._socket(socket.AF_INET, "127.0.0.1", port)
        port = port or four.getsockname()[1]
        with contextlib.suppress(OSError):
            self._socket(socket.AF_INET6, "::1", port)
        return port

    def refusing(self):
        """A port of 127.0.0.1 at which the kernel refuses: taken, by a socket that is for one other sender alone."""
        taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        taken.bind(("127.0.0.1", 0))
        taken.connect(taken.getsockname())
        self._kept.append(taken)
        return taken.getsockname()[1]

    def _socket(self, family, host, port):
        made, other = (socket.socket(family, socket.SOCK_DGRAM) for _ in range(2))
        try:
            made.bind((host, port))
        except OSError:
            made.close()
            other.close()
            raise
        other.bind((host, 0))
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            made.setsockopt(socket.SOL_SOCKET, option, BUFFER)
        threading.Thread(target=self._run, args=(made, other), daemon=True).start()
        return made

    def _run(self, made, other):
        while True:
            with contextlib.suppress(OSError):  # somebody who has gone
                data, source = made.recvfrom(1 << 16)
                end = other if data.startswith(b"#other ") else made
                for answer in self._answers(data, source, made):
                    end.sendto(answer, source)

    def _answers(self, data, source, made):
        if not data.startswith(b"#"):
            return [data]
        words = data.split(b" ", 2)
        name, first = words[0][1:], words[1] if len(words) > 1 else b""
        if name == b"other":
            return [data.split(b" ", 1)[1]]
        if name == b"many":
            return [b"%d" % n for n in range(1, int(first) + 1)]
        if name == b"size":
            return [self._pattern(int(first))]
        if name == b"digest":
            return [b"%d %08x" % (len(data), zlib.crc32(data))]
        if name == b"source":
            last = self._sources.get(first)
            self._sources[first] = source
            return [b"first" if last is None else b"same" if last == source else b"another"]
        if name == b"hold":
            threading.Thread(target=self._hold, args=(made, source, first, words[2]), daemon=True).start()
        return []

    def _hold(self, made, source, key, text):
        self._board.await_release(key.decode())
        with contextlib.suppress(OSError):
            made.sendto(text, source)
