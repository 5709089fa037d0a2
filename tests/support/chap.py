"""CHAP for SOCKS V5 (draft-ietf-aft-socks-chap-01, protocol.md §3), both ends: messages of attributes, and HMAC-MD5."""

import hashlib
import hmac
import secrets

from support import wire

VERSION = 0x01
STATUS, TEXT, USER, CHALLENGE, RESPONSE, CHARSET, IDENTIFIER, ALGORITHMS = 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x10, 0x11
MD5, HMAC_MD5 = 0x05, 0x85
OK, FAILED = b"\x00", b"\xff"


class Refused(wire.ProtocolError):
    """A STATUS that is not 0."""


def encode(*attributes):
    """`encode((ALGORITHMS, b"\\x85"), ...)`: VER NAVAS (ATT LEN VAL)*."""
    return bytes([VERSION, len(attributes)]) + b"".join(bytes([kind, len(value)]) + value for kind, value in attributes)


def read(stream):
    """A message as {attribute: value}; the last of several wins."""
    version, count = wire.read_exact(stream, 2)
    if version != VERSION or count == 0:
        raise wire.ProtocolError(f"CHAP message {version:02x} {count:02x}")
    attributes = {}
    for _ in range(count):
        kind, length = wire.read_exact(stream, 2)
        attributes[kind] = wire.read_exact(stream, length) if length else b""
    return attributes


def response(password, challenge):
    return hmac.digest(password, challenge, hashlib.md5)


def authenticate(stream, write, user, password, mutual=False, first=()):
    """The client's end; `first` are more attributes of its first message. Returns what the server said in each."""
    write(encode((ALGORITHMS, bytes([HMAC_MD5])), (USER, user), *first))
    said, ours = [], secrets.token_bytes(64)
    while True:
        message = read(stream)
        said.append(message)
        if ALGORITHMS in message and message[ALGORITHMS] != bytes([HMAC_MD5]):
            raise wire.ProtocolError(f"algorithms {message[ALGORITHMS].hex()}")
        if CHALLENGE in message:
            answer = [(USER, user), (RESPONSE, response(password, message[CHALLENGE]))]
            write(encode(*answer, *([(CHALLENGE, ours)] if mutual else [])))
        if STATUS in message:
            if message[STATUS] != OK:
                raise Refused(message[STATUS].hex())
            if mutual:
                good = hmac.compare_digest(message.get(RESPONSE, b""), response(password, ours))
                write(encode((STATUS, OK if good else FAILED)))
                if not good:
                    raise wire.ProtocolError("the server does not know the password")
            return said


def accept(stream, write, users, faults):
    """The server's end: the user's name, or None. `users` is {name: password}, in octets."""
    message = read(stream)
    user = message.get(USER)
    if HMAC_MD5 not in message.get(ALGORITHMS, b""):
        write(encode((STATUS, FAILED)))
        return None
    challenge = secrets.token_bytes(faults.number("chap-challenge", 128))
    algorithm = (ALGORITHMS, bytes([faults.octet("chap-algorithm") or HMAC_MD5]))
    if faults.on("chap-empty"):
        write(bytes([VERSION, 0]))
    if faults.on("chap-two"):
        write(encode(algorithm))
        write(encode((TEXT, b"who are you"), (0x7F, b"unknown"), (CHALLENGE, challenge)))
    else:
        write(encode(algorithm, (CHALLENGE, challenge)))
    message = read(stream)
    user = message.get(USER, user)
    password = users.get(user)
    good = password is not None and hmac.compare_digest(message.get(RESPONSE, b""), response(password, challenge))
    status = faults.octet("subauth-status")
    answer = [(STATUS, (OK if good else FAILED) if status is None else bytes([status]))]
    mutual = good and CHALLENGE in message and not faults.on("chap-no-mutual")
    if mutual:
        theirs = response(b"another" if faults.on("chap-impostor") else password, message[CHALLENGE])
        answer.append((RESPONSE, theirs))
    write(encode(*answer))
    if mutual and read(stream).get(STATUS) != OK:
        return None
    return user if good else None
