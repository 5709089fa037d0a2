"""Target to client: seals what the target sends, and commits the data-stage faults at the chosen frame."""

from support import wire

READ = 1 << 16


class Downlink:
    """`seal` is None where the method seals nothing (none, userpass)."""

    def __init__(self, target, writer, session, level, faults):
        self.target = target
        self.writer = writer
        self.session = session
        self.level = wire.CONFIDENTIALITY if faults.on("conf-true") else level
        self.faults = faults
        self.octets = 0
        self.frames = 0
        confidential = self.level != wire.INTEGRITY
        limit = session.limit(confidential) if session else READ
        self.limit = min(limit, faults.number("plaintext", limit))
        self.faulty_frame = faults.number("frame-number", 1)
        self._held = None

    def read(self):
        """The next frame's plaintext; with `fill` as much as one may carry."""
        if not self.faults.on("fill"):
            return self.target.recv(self.limit)
        data = bytearray()
        while len(data) < self.limit:
            piece = self.target.recv(self.limit - len(data))
            if not piece:
                break
            data += piece
        return bytes(data)

    def run(self):
        """Until the target's FIN, which becomes ours: a half-close passes through."""
        while data := self.read():
            self.pass_on(data)
        if self._held:
            self.writer.raw(self._held)
        self.writer.finish()

    def pass_on(self, data):
        """One frame of plaintext `data`."""
        self.octets += len(data)
        self.frames += 1
        if self.session is None:
            self.writer.raw(data)
        elif self.frames - 1 != self.faulty_frame:
            self.writer.raw(self.session.seal(data, self.level))
            if self._held:
                self.writer.raw(self._held)
                self._held = None
        else:
            self._commit(data)

    def _commit(self, data):
        faults = self.faults
        if faults.on("plain"):
            self.writer.raw(data)
            return
        if faults.on("empty-token", "data"):
            self.writer.raw(self.session.seal(b"", self.level))
        if faults.on("conf-false", "data"):
            frame = wire.Frame(wire.DATA, self.session.wrap(data, False)).encode()
        else:
            frame = self.session.seal(data, self.level)
        if faults.on("drop"):
            return
        if faults.on("reorder"):
            self._held = frame
            return
        self.writer.send("data", frame)
        if faults.on("replay"):
            self.writer.raw(frame)
