"""name_server.py CASE: asks name servers itself, over its own sockets, and prints as JSON what it saw.

None of the servers exists; 198.18.0.0/15 is where the shim's answers lie.
"""

import ctypes
import ipaddress
import json
import os
import select
import socket
import struct
import sys

ONE, OTHER, SIX = ("192.0.2.53", 53), ("192.0.2.54", 53), ("2001:db8::53", 53, 0, 0)
A, PTR, AAAA, MX = 1, 12, 28, 15
STAND_INS = ipaddress.ip_network("198.18.0.0/15")


def query(name, kind=A, number=7, *, edns=None):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".") if label) + b"\0"
    extra = b"" if edns is None else struct.pack("!BHHIH", 0, 41, edns, 0, 0)
    return struct.pack("!6H", number, 0x0100, 1, 0, 0, bool(extra)) + labels + struct.pack("!2H", kind, 1) + extra


def read(answer):
    """What matters of an answer: ID, flags, code, addresses."""
    number, flags, questions, answers = struct.unpack("!4H", answer[:8])
    assert flags & 0x8000
    end = 12
    while questions and answer[end]:
        end += answer[end] + 1
    end += 5 * questions
    addresses = []
    for _ in range(answers):
        kind, _, _, size = struct.unpack("!2HIH", answer[end + 2:end + 12])
        data = answer[end + 12:end + 12 + size]
        addresses.append(str(ipaddress.ip_address(data)) if kind in (A, AAAA) else data.hex())
        end += 12 + size
    return {"id": number, "code": flags & 15, "ra": bool(flags & 0x80), "tc": bool(flags & 0x200), "data": addresses}


def stands_in(answer):
    return [ipaddress.ip_address(address) in STAND_INS for address in read(answer)["data"]] == [True]


def datagrams(family=socket.AF_INET):
    plain = socket.socket(family, socket.SOCK_DGRAM)
    plain.settimeout(60)
    return plain


def connected():
    """connect and send; poll and epoll say when; the peer is who was named; a refused source cannot come in."""
    with datagrams() as plain:
        plain.connect(ONE)
        plain.send(query("Connected.Example"))
        poll, epoll = select.poll(), select.epoll()
        poll.register(plain, select.POLLIN)
        epoll.register(plain, select.EPOLLIN | select.EPOLLET)
        ready = [bool(poll.poll(60_000)), bool(epoll.poll(60))]
        peeked, sender = plain.recvfrom(512, socket.MSG_PEEK)
        answer = plain.recv(512)
        return {"peer": plain.getpeername(), "sender": sender, "ready": ready, "same": peeked == answer,
                "stands_in": stands_in(answer), "case": b"\x09Connected\x07Example" in answer}


def unconnected():
    """One socket, bound first, two servers: each answer comes from the one that was asked."""
    with datagrams() as plain:
        plain.bind(("0.0.0.0", 0))
        plain.sendto(query("one.example", number=1), ONE)
        plain.sendto(query("other.example", number=2), OTHER)
        plain.sendmsg([query("one.example", number=3)], [], 0, ONE)
        answers = {}
        for _ in range(3):
            answer, _, _, sender = plain.recvmsg(512)
            answers[read(answer)["id"]] = [sender, stands_in(answer)]
        return answers


def several():
    """sendmmsg and recvmmsg, the array forms, to both servers."""
    libc = ctypes.CDLL(None, use_errno=True)

    class Iovec(ctypes.Structure):
        _fields_ = [("base", ctypes.c_void_p), ("size", ctypes.c_size_t)]

    class Message(ctypes.Structure):
        _fields_ = [("name", ctypes.c_void_p), ("name_size", ctypes.c_uint32), ("vectors", ctypes.c_void_p),
                    ("count", ctypes.c_size_t), ("control", ctypes.c_void_p), ("control_size", ctypes.c_size_t),
                    ("flags", ctypes.c_int), ("padding", ctypes.c_int), ("size", ctypes.c_uint)]

    def messages(buffers, names):
        vectors = [Iovec(ctypes.addressof(buffer), len(buffer)) for buffer in buffers]
        array = (Message * len(buffers))(*(
            Message(ctypes.addressof(name), 16, ctypes.addressof(vector), 1) for name, vector in zip(names, vectors)))
        return array, vectors

    def sockaddr(address):
        return ctypes.create_string_buffer(struct.pack("=H", socket.AF_INET) + struct.pack("!H", address[1])
                                           + socket.inet_aton(address[0]) + bytes(8), 16)

    with datagrams() as plain:
        asked = [query("one.example", number=1), query("other.example", number=2)]
        out = [ctypes.create_string_buffer(octets, len(octets)) for octets in asked]
        names = [sockaddr(ONE), sockaddr(OTHER)]
        array, _kept = messages(out, names)
        sent = libc.sendmmsg(plain.fileno(), array, 2, 0)
        into = [ctypes.create_string_buffer(512) for _ in range(2)]
        senders = [ctypes.create_string_buffer(16) for _ in range(2)]
        got, answers = 0, {}
        while got < 2:
            select.select([plain], [], [], 60)
            array, _kept = messages(into, senders)
            now = libc.recvmmsg(plain.fileno(), array, 2, 0x40, None)
            assert now > 0, os.strerror(ctypes.get_errno())
            for i in range(now):
                answer = into[i].raw[:array[i].size]
                answers[read(answer)["id"]] = [socket.inet_ntoa(senders[i].raw[4:8]), stands_in(answer)]
            got += now
        return {"sent": sent, "answers": answers}


def six():
    """An IPv6 server, and an IPv4 one by its mapped address, over IPv6 sockets."""
    with datagrams(socket.AF_INET6) as plain:
        plain.sendto(query("six.example", number=1), SIX)
        answer, sender = plain.recvfrom(512)
        plain.sendto(query("six.example", number=2), ("::ffff:192.0.2.53", 53))
        mapped_answer, mapped = plain.recvfrom(512)
    with datagrams(socket.AF_INET6) as only:
        only.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        only.bind(("::", 0))
        only.connect(SIX)
        only.send(query("six.example"))
        return {"sender": sender[:2], "stands_in": stands_in(answer), "mapped": mapped[:2],
                "mapped_stands_in": stands_in(mapped_answer), "only": stands_in(only.recv(512)),
                "peer": only.getpeername()[:2]}


def stream():
    """TCP: two queries in one write, a non-blocking connect, the peer's name."""
    with socket.socket() as plain:
        plain.setblocking(False)
        error = plain.connect_ex(ONE)
        select.select([], [plain], [], 60)
        status = plain.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        plain.setblocking(True)
        plain.settimeout(60)
        both = [query("stream.example", number=1), query("stream.example", MX, number=2, edns=1232)]
        plain.sendall(b"".join(struct.pack("!H", len(one)) + one for one in both))
        answers = []
        with plain.makefile("rb") as reader:
            for _ in both:
                answers.append(read(reader.read(struct.unpack("!H", reader.read(2))[0])))
        known = [ipaddress.ip_address(address) in STAND_INS for address in answers[0].pop("data")]
        return {"started": os.strerror(error), "status": status, "peer": plain.getpeername(), "known": known,
                "answers": answers}


def hostile():
    """What is no query gets an error or nothing, and the next query is answered."""
    with datagrams() as plain:
        plain.connect(ONE)
        wrong = [query("a.example")[:20], query("a.example") + b"junk", b"\0" * 4, b"", bytes(12),
                 query("a.example")[:4] + b"\0\2" + query("a.example")[6:], query("x" * 60 + "." + "y z"),
                 b"\0\7\x28\0" + query("a.example")[4:], query("a.example")[:2] + b"\x80\0" + query("a.example")[4:],
                 query("a.example")[:12] + b"\xc0\x0c\0\1\0\1"]
        for octets in wrong:
            plain.send(octets)
        plain.send(query("last.example", number=99))
        codes = []
        while not codes or codes[-1][0] != 99:
            answer = read(plain.recv(512))
            codes.append([answer["id"], answer["code"]])
        return {"codes": codes}


def types():
    """A and what else there is of a name, back to the name, and the names every resolver must know."""
    with datagrams() as plain:
        plain.connect(ONE)

        def ask(*what):
            plain.send(query(*what))
            return read(plain.recv(512))

        address = ask("Types.example")["data"][0]
        reverse = ".".join(reversed(address.split("."))) + ".in-addr.arpa"
        return {"again": ask("tYPES.EXAMPLE")["data"] == [address],
                "aaaa": ask("types.example", AAAA), "mx": ask("types.example", MX),
                "ptr": bytes.fromhex(ask(reverse, PTR)["data"][0]).decode(),
                "unknown_ptr": ask("9.2.0.192.in-addr.arpa", PTR)["code"],
                "localhost": ask("www.localhost")["data"] + ask("www.localhost", AAAA)["data"],
                "numeric": ask("192.0.2.77")["data"], "root": ask("")["code"],
                "libc": socket.getaddrinfo("types.example", 80)[0][4][0] == address}


def forked():
    """A child asks over sockets of its own, and over one that was its parent's."""
    with datagrams() as inherited:
        inherited.connect(ONE)
        inherited.send(query("forked.example"))
        ours = stands_in(inherited.recv(512))
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            inherited.send(query("forked.example"))
            answers = [stands_in(inherited.recv(512)), inherited.getpeername() == ONE]
            with datagrams() as own:
                own.sendto(query("forked.example"), OTHER)
                answer, sender = own.recvfrom(512)
                answers += [stands_in(answer), sender == OTHER]
            inherited.sendto(query("forked.example"), ONE)
            answers += [stands_in(inherited.recv(512))]
            os.write(writer, json.dumps(answers).encode())
            os._exit(0)
        os.close(writer)
        os.waitpid(child, 0)
        return {"parent": ours, "child": json.loads(os.read(reader, 1000))}


if __name__ == "__main__":
    cases = (connected, unconnected, several, six, stream, hostile, types, forked)
    print(json.dumps({case.__name__: case for case in cases}[sys.argv[1]]()))
