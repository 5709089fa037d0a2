"""RFC 1928, 1929 and 1961 octets, as plainly as the figures in the RFCs. Shared by the test server, client and tap."""

import errno
import io
import ipaddress
import socket
import struct
from typing import NamedTuple

SOCKS = 0x05
GSS = 0x01  # "ver", RFC 1961 §3.4
NONE, GSSAPI, USERPASS, CHAP, NO_ACCEPTABLE = 0x00, 0x01, 0x02, 0x03, 0xFF  # RFC 1928 §3
SSL, SSL_IANA = 0x86, 0x06  # draft-ietf-aft-socks-ssl-00; what IANA registered
METHODS = {"none": (NONE,), "gssapi": (GSSAPI,), "userpass": (USERPASS,), "chap": (CHAP,), "ssl": (SSL, SSL_IANA)}
TOKEN, LEVEL, DATA, ABORT = 0x01, 0x02, 0x03, 0xFF  # "mtyp", RFC 1961 §3.4, §4.3, §5, §3.8
INTEGRITY, CONFIDENTIALITY, SELECTIVE = 1, 2, 3  # RFC 1961 §4.2
CONNECT, BIND, UDP_ASSOCIATE = 0x01, 0x02, 0x03  # "CMD", RFC 1928 §4
OK, GENERAL_FAILURE, NOT_ALLOWED, NET_UNREACHABLE, HOST_UNREACHABLE, REFUSED, TTL_EXPIRED, BAD_COMMAND, BAD_ATYP = range(9)
MAX_TOKEN = 0xFFFF


class ProtocolError(Exception):
    """The peer said something the RFCs do not allow."""


class Closed(Exception):
    """FIN where the protocol allows one: between two frames."""


class Aborted(Exception):
    """`01 FF`, RFC 1961 §3.8."""


class Frame(NamedTuple):
    mtyp: int
    token: bytes

    def encode(self):
        return struct.pack("!BBH", GSS, self.mtyp, len(self.token)) + self.token


def read_exact(stream, count):
    """`count` octets from a buffered reader; a FIN before the first is Closed, inside them a ProtocolError."""
    data = stream.read(count)
    if len(data) == count:
        return data
    if not data:
        raise Closed
    raise ProtocolError(f"FIN after {len(data)} of {count} octets")


def read_frame(stream):
    """One RFC 1961 frame. The abort message has no length: octet 2 decides before LEN is read."""
    version, mtyp = read_exact(stream, 2)
    if version != GSS:
        raise ProtocolError(f"frame version {version:02x}")
    if mtyp == ABORT:
        raise Aborted
    if mtyp not in (TOKEN, LEVEL, DATA):
        raise ProtocolError(f"frame type {mtyp:02x}")
    try:
        (length,) = struct.unpack("!H", read_exact(stream, 2))
        return Frame(mtyp, read_exact(stream, length) if length else b"")
    except Closed:
        raise ProtocolError("FIN inside a frame") from None


def encode_address(host, port, atyp=None):
    """ATYP, address, port (RFC 1928 §5); numeric hosts become ATYP 1 or 4 unless `atyp` says 3."""
    if atyp != 3:
        try:
            address = ipaddress.ip_address(host)
            return bytes([1 if address.version == 4 else 4]) + address.packed + struct.pack("!H", port)
        except ValueError:
            pass
    name = host.encode("ascii")
    return bytes([3, len(name)]) + name + struct.pack("!H", port)


def read_address(stream):
    """ATYP, address, port -> (atyp, host, port); the name length is unsigned."""
    (atyp,) = read_exact(stream, 1)
    if atyp == 1:
        host = str(ipaddress.IPv4Address(read_exact(stream, 4)))
    elif atyp == 4:
        host = str(ipaddress.IPv6Address(read_exact(stream, 16)))
    elif atyp == 3:
        (length,) = read_exact(stream, 1)
        host = read_exact(stream, length).decode("ascii", "replace")
    else:
        raise ProtocolError(f"ATYP {atyp:02x}")
    (port,) = struct.unpack("!H", read_exact(stream, 2))
    return atyp, host, port


def encode_request(command, host, port, atyp=None):
    return bytes([SOCKS, command, 0]) + encode_address(host, port, atyp)


def encode_reply(code, host="0.0.0.0", port=0, atyp=None):
    return bytes([SOCKS, code, 0]) + encode_address(host, port, atyp)


def read_reply(stream):
    """RFC 1928 §6 -> (rep, atyp, host, port)."""
    version, code, _ = read_exact(stream, 3)
    if version != SOCKS:
        raise ProtocolError(f"reply version {version:02x}")
    return code, *read_address(stream)


def encode_datagram(host, port, data, atyp=None, fragment=0):
    """RFC 1928 §7: RSV, FRAG, address, data."""
    return bytes([0, 0, fragment]) + encode_address(host, port, atyp) + data


def decode_datagram(octets):
    """-> (atyp, host, port, data); no fragments."""
    stream = io.BytesIO(octets)
    try:
        if any(read_exact(stream, 2)):
            raise ProtocolError("RSV of a datagram is not 0")
        (fragment,) = read_exact(stream, 1)
        if fragment:
            raise ProtocolError(f"FRAG {fragment:02x}")
        return *read_address(stream), stream.read()
    except Closed:
        raise ProtocolError("a datagram ends in its header") from None


def datagram_frame(octets):
    """RFC 1961 §6: one datagram is one frame, and nothing else is in it."""
    if len(octets) < 4 or octets[:2] != bytes([GSS, DATA]):
        raise ProtocolError(f"not a sealed datagram: {octets[:4].hex(' ')}")
    if struct.unpack("!H", octets[2:4])[0] != len(octets) - 4:
        raise ProtocolError("LEN is not the rest of the datagram")
    return Frame(DATA, octets[4:])


def reply_code(error):
    """The REP for a failed outgoing connect, RFC 1928 §6."""
    return {
        errno.ECONNREFUSED: REFUSED, errno.ENETUNREACH: NET_UNREACHABLE, errno.EHOSTUNREACH: HOST_UNREACHABLE,
        errno.ETIMEDOUT: TTL_EXPIRED, errno.EACCES: NOT_ALLOWED, errno.EPERM: NOT_ALLOWED,
    }.get(error, GENERAL_FAILURE)


def parse_endpoint(text):
    """`HOST:PORT` or `[HOST]:PORT`."""
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def family(host):
    return socket.AF_INET6 if ":" in host else socket.AF_INET
