"""Sealing and opening on one established GSS context, strictly: the checks of protocol.md §1, not the library's lenience."""

import threading

import gssapi

from support import wire

KERBEROS = gssapi.OID.from_int_seq("1.2.840.113554.1.2.2")
SPNEGO = gssapi.OID.from_int_seq("1.3.6.1.5.5.2")
MECHANISMS = {"krb5": KERBEROS, "spnego": SPNEGO}

_F = gssapi.RequirementFlag
# RFC 1961 §3.2 without delegation, which policy decides.
WANTED_FLAGS = (_F.mutual_authentication | _F.replay_detection | _F.out_of_sequence_detection
                | _F.integrity | _F.confidentiality)
# Of a session for datagrams: those may be lost and overtake each other.
UNORDERED_FLAGS = WANTED_FLAGS & ~_F.out_of_sequence_detection


class GssSession:
    """One context and one lock: MIT contexts have none of their own, and the two directions are two threads."""

    def __init__(self, context):
        self.context = context
        self._lock = threading.Lock()
        self._limits = {}

    def wrap(self, data, confidential):
        with self._lock:
            return self.context.wrap(data, confidential).message

    def unwrap(self, token):
        """(plaintext, was it encrypted). python-gssapi raises on the supplementary codes too: replay, gap, reorder."""
        try:
            with self._lock:
                message, encrypted, _ = self.context.unwrap(token)
        except gssapi.exceptions.GSSError as error:
            raise wire.ProtocolError(f"unwrap: {type(error).__name__}") from error
        return message, encrypted

    def limit(self, confidential, token_size=wire.MAX_TOKEN):
        """The most plaintext that a token of `token_size` carries."""
        key = (confidential, token_size)
        if key not in self._limits:
            with self._lock:
                self._limits[key] = self.context.get_wrap_size_limit(token_size, confidential)
        return self._limits[key]

    def seal(self, data, level):
        """An mtyp-3 frame; RFC 1961 §5: conf_req FALSE at level 1, TRUE at level 2. At 3 we encrypt."""
        return wire.Frame(wire.DATA, self.wrap(data, level != wire.INTEGRITY)).encode()

    def open(self, frame, level):
        """The plaintext of an mtyp-3 frame; at level 2 a token that was not encrypted is refused."""
        if frame.mtyp != wire.DATA:
            raise wire.ProtocolError(f"mtyp {frame.mtyp} where data belongs")
        if not frame.token:
            raise wire.ProtocolError("empty mtyp-3 frame")
        data, encrypted = self.unwrap(frame.token)
        if level == wire.CONFIDENTIALITY and not encrypted:
            raise wire.ProtocolError("conf_state FALSE at level 2")
        return data
