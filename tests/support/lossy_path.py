"""What a network does to datagrams, the same way every time: every Nth lost, doubled, or overtaken by the next."""


class LossyPath:
    """One direction. `carry` gives what arrives when a datagram has been sent."""

    def __init__(self, lose=None, double=None, swap=None):
        self.lose, self.double, self.swap = lose, double, swap
        self.sent = self.lost = 0
        self._late = []

    def _is_nth(self, every):
        return every is not None and self.sent % every == 0

    def carry(self, datagram):
        self.sent += 1
        if self._is_nth(self.lose):
            self.lost += 1
            return []
        if self._is_nth(self.swap):
            self._late.append(datagram)
            return []
        arrived = [datagram, datagram] if self._is_nth(self.double) else [datagram]
        arrived += self._late
        self._late = []
        return arrived
