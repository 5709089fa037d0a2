"""The faults the independent server can be told to commit. One word per fault, all of them here.

A switch is `NAME[@STAGE][=VALUE]`. Stages, in order: choice, context, level, reply, data.

at every stage
    close@STAGE         FIN instead of the message           reset@STAGE     RST instead of it
    abort@STAGE         01 FF instead of it                  stall@STAGE     nothing, until the client goes
    version@STAGE=HEX   another first octet                  mtyp@STAGE=HEX  another second octet
    alter@STAGE         the last octet inverted              cut@STAGE=N     only the first N octets, then FIN
    empty@STAGE         a frame of LEN 0 before it
choice
    method=HEX          this method, whatever was offered
context
    stray=N             N zero-length tokens before the level reply (one is tolerated)
level
    level=HEX           reply this level whatever was asked  level-conf      wrapped with conf TRUE (allowed)
    level-clear         in clear without NEC being agreed    level-long      two octets of plaintext
    level-none          an empty plaintext
reply
    rep=N               this reply code, well formed         rep-short=N     05 N and FIN
    atyp=N              the bound address as ATYP N          clear-reply     the reply outside mtyp 3
    reply-version=HEX   the first octet inside the frame     join            the reply shares its frame with data
    conf-false@reply    not encrypted at level 2             empty-token@reply  a token of no plaintext before it
    split-reply         the reply's octets in one frame each
data (the frame number `frame-number=N` of the downlink, counted from 0, default 1)
    conf-false@data     empty-token@data
    replay  drop  reorder                                    plain           raw octets instead of a frame
BIND
    rep-second=N        the code of the second reply
UDP ASSOCIATE (of downlink datagram `frame-number`: the faults of data, and those below)
    fragment            FRAG is 1                            long            LEN says one octet more
    stranger            sealed well, from another socket     huge            as large as UDP can carry, not sealed
    bound=HOST          in the reply, with the true port     name-source     sources named as they were asked for (allowed)
    end-after=N         the control connection is closed once N datagrams came
    lose=N double=N swap=N                                   every Nth datagram of each direction, on the way
anywhere
    split               every message in writes of one octet
    conf-true           encrypted at level 1 too (allowed)
    plaintext=N         at most N octets of plaintext a frame
    fill                frames filled to `plaintext` (or to what 65535 octets carry) before they go
"""

STAGES = ("choice", "context", "level", "reply", "data")
STAGED = ("close", "reset", "abort", "stall", "version", "mtyp", "alter", "cut", "empty", "conf-false", "empty-token")
PLAIN = ("method", "stray", "level", "level-conf", "level-clear", "level-long", "level-none", "rep", "rep-short", "atyp",
         "clear-reply", "reply-version", "join", "split-reply", "frame-number", "replay", "drop", "reorder", "plain",
         "split", "conf-true", "plaintext", "fill", "rep-second", "fragment", "long", "stranger", "huge", "bound",
         "name-source", "end-after", "lose", "double", "swap")


class Misbehaviour:
    """The switches in force: `on("alter", "data")`, `octet("level")`, `number("plaintext", 8192)`."""

    STAGES, STAGED, PLAIN = STAGES, STAGED, PLAIN

    def __init__(self, switches=()):
        self._values = {}
        for switch in switches:
            key, _, value = switch.partition("=")
            name, _, stage = key.partition("@")
            if not (name in self.STAGED and stage in self.STAGES or name in self.PLAIN and not stage):
                raise ValueError(f"no such fault: {switch}")
            self._values[key] = value or "1"

    @staticmethod
    def _key(name, stage):
        return f"{name}@{stage}" if stage else name

    def on(self, name, stage=None):
        return self._key(name, stage) in self._values

    def number(self, name, default=None, stage=None):
        value = self._values.get(self._key(name, stage))
        return default if value is None else int(value)

    def text(self, name):
        return self._values.get(name)

    def octets(self, name):
        """The value as octets in hex, or None."""
        value = self._values.get(name)
        return None if value is None else bytes.fromhex(value)

    def octet(self, name, stage=None):
        """The value as one octet in hex, or None."""
        value = self._values.get(self._key(name, stage))
        return None if value is None else int(value, 16)
