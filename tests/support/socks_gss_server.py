#!/usr/bin/python3
"""An independent SOCKS5 server, written from RFC 1928, 1929 and 1961 on MIT's GSS-API; none of our C++ is in it.

Says `listening on ADDR:PORT`; with --events then one JSON object a line for everything it sees. One thread per
direction and session. It is strict about what it receives and, told so, wrong in what it sends (misbehaviour.py).
"""

import argparse
import itertools
import json
import socket
import struct
import sys
import threading
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import gssapi  # noqa: E402

from support import bind_listener, wire  # noqa: E402
from support.downlink import Downlink  # noqa: E402
from support.faulty_writer import FaultyWriter, SessionOver  # noqa: E402
from support.gss_session import GssSession  # noqa: E402
from support.misbehaviour import Misbehaviour  # noqa: E402
from support.udp_relay import UdpRelay  # noqa: E402

BUFFER = 1 << 18


class Session:
    """One client, from its greeting to the last FIN."""

    def __init__(self, server, number, connection):
        self.options = server.options
        self.faults = server.faults
        self.server = server
        self.number = number
        self.connection = connection
        self.reader = connection.makefile("rb", BUFFER)
        self.writer = FaultyWriter(connection, self.faults, self.event)
        self.gss = None
        self.level = None
        self.target = None
        self.up_octets = self.up_frames = 0
        self.downlink = None

    def event(self, kind, **fields):
        self.server.event(kind, session=self.number, **fields)

    def run(self):
        reason = "closed"
        try:
            self.choose_method()
            command, host, port = self.read_request()
            if command == wire.UDP_ASSOCIATE:
                UdpRelay(self, host, port).run()
            else:
                if command == wire.BIND:
                    self.target = bind_listener.accept(self, host, port)
                else:
                    self.connect(host, port)
                self.relay()
        except (wire.ProtocolError, gssapi.exceptions.GSSError) as error:
            reason = f"{type(error).__name__}: {error}"
        except (wire.Closed, wire.Aborted, SessionOver) as error:
            reason = type(error).__name__
        except OSError as error:
            reason = f"OSError: {error}"
        finally:
            for end in (self.reader, self.connection, self.target):
                if end is not None:
                    end.close()
            down = self.downlink
            self.event("end", reason=reason, up_octets=self.up_octets, up_frames=self.up_frames,
                       down_octets=down.octets if down else 0, down_frames=down.frames if down else 0)

    # --- method, RFC 1928 §3 ---

    def choose_method(self):
        version, count = wire.read_exact(self.reader, 2)
        if version != wire.SOCKS:
            raise wire.ProtocolError(f"greeting version {version:02x}")
        offered = wire.read_exact(self.reader, count) if count else b""
        method = self.preferred(self.options.methods, offered)
        forced = self.faults.octet("method")
        if forced is not None:
            method = forced
        self.event("method", offered=list(offered), chosen=method)
        self.writer.send("choice", bytes([wire.SOCKS, method]))
        self.authenticate(method)

    @staticmethod
    def preferred(names, offered):
        ours = [method for name in names.split(",") if name for method in wire.METHODS[name]]
        return next((method for method in ours if method in offered), wire.NO_ACCEPTABLE)

    def authenticate(self, method):
        if method == wire.GSSAPI:
            self.authenticate_gss()
            self.agree_level()
        elif method == wire.USERPASS:
            self.authenticate_password()
        elif method != wire.NONE:
            self.writer.drain()
            raise wire.Closed

    def authenticate_password(self):
        """RFC 1929 §2."""
        version, length = wire.read_exact(self.reader, 2)
        if version != 0x01:
            raise wire.ProtocolError(f"userpass version {version:02x}")
        user = wire.read_exact(self.reader, length) if length else b""
        (length,) = wire.read_exact(self.reader, 1)
        password = wire.read_exact(self.reader, length) if length else b""
        good = b"%s:%s" % (user, password) == self.options.user.encode() and user and password
        self.event("userpass", user=user.decode(errors="replace"), accepted=bool(good))
        status = self.faults.octet("subauth-status")
        self.say_subauth(bytes([0x01, (0x00 if good else 0x01) if status is None else status]))
        if not good:
            raise wire.ProtocolError("wrong password")

    def say_subauth(self, message):
        self.writer.send("subauth", message)

    # --- GSS context, RFC 1961 §3 ---

    def authenticate_gss(self):
        """§3.6, §3.7: legs until complete; complete without a token is told by a zero-length one."""
        context = gssapi.SecurityContext(usage="accept", creds=self.server.credentials)
        legs = 0
        while not context.complete:
            frame = wire.read_frame(self.reader)
            if frame.mtyp != wire.TOKEN:
                raise wire.ProtocolError(f"mtyp {frame.mtyp} during context establishment")
            legs += 1
            try:
                if not frame.token:  # §3.6: only a server sends one of length zero
                    raise gssapi.exceptions.InvalidTokenError(0, 0)
                output = context.step(frame.token)
            except gssapi.exceptions.GSSError as error:  # §3.8
                self.event("refused", error=str(error))
                self.writer.raw(bytes([wire.GSS, wire.ABORT]))
                raise
            if output or context.complete:
                self.writer.send("context", wire.Frame(wire.TOKEN, output or b"").encode())
        self.gss = GssSession(context)
        self.event("context", client=str(context.initiator_name), service=str(context.target_name),
                   mech=context.mech.dotted_form, flags=int(context.actual_flags), legs=legs,
                   delegated=context.delegated_creds is not None)

    def agree_level(self):
        """§4: the level in one octet, wrapped with conf FALSE; NEC: in clear."""
        frame = wire.read_frame(self.reader)
        if frame.mtyp != wire.LEVEL:
            raise wire.ProtocolError(f"mtyp {frame.mtyp} where the level belongs")
        encrypted = None
        if self.options.nec:
            asked = frame.token
        else:
            asked, encrypted = self.gss.unwrap(frame.token)
        if len(asked) != 1:
            raise wire.ProtocolError(f"level of {len(asked)} octets")
        accepted = [int(level) for level in self.options.levels.split(",")]
        self.level = asked[0] if asked[0] in accepted else max(accepted)
        forced = self.faults.octet("level")
        said = self.level if forced is None else forced
        self.event("level", asked=asked[0], agreed=said, encrypted=encrypted)
        for _ in range(self.faults.number("stray", 0)):
            self.writer.raw(wire.Frame(wire.TOKEN, b"").encode())
        body = bytes([said])
        if self.faults.on("level-long"):
            body += b"\0"
        if self.faults.on("level-none"):
            body = b""
        clear = self.options.nec or self.faults.on("level-clear")
        token = body if clear else self.gss.wrap(body, self.faults.on("level-conf"))
        self.writer.send("level", wire.Frame(wire.LEVEL, token).encode())

    # --- request and reply, RFC 1928 §4, §6 ---

    def read_request(self):
        """The whole request is one message: RFC 1961 §5 puts it in an mtyp-3 frame."""
        stream = self.reader
        if self.gss:
            data = self.open_next()
            stream = _Bytes(data)
        version, command, _ = wire.read_exact(stream, 3)
        atyp, host, port = wire.read_address(stream)
        if version != wire.SOCKS or (self.gss and stream.left()):
            raise wire.ProtocolError("malformed request")
        self.event("request", command=command, atyp=atyp, host=host, port=port)
        if command not in (wire.CONNECT, wire.BIND, wire.UDP_ASSOCIATE):
            self.refuse(wire.BAD_COMMAND)
        return command, host, port

    def relays_datagrams(self):
        """Under GSS-API sealed, in clear where the method itself is; what SSL agrees on is its own affair."""
        return True

    def refuse(self, code):
        self.event("unreachable", code=code)
        self.reply(wire.encode_reply(code))
        self.writer.finish()
        self.writer.drain()
        raise wire.Closed

    def resolve(self, host):
        """Our own names only: what is not in --host and not numeric does not exist."""
        address = self.server.hosts.get(host.lower(), host)
        try:
            socket.inet_pton(wire.family(address), address)
        except OSError:
            return None
        return address

    def connect(self, host, port):
        code = self.faults.number("rep")
        short = self.faults.number("rep-short")
        address = self.resolve(host)
        if code is None and short is None:
            if address is None:
                code = wire.HOST_UNREACHABLE
            else:
                try:
                    self.target = socket.create_connection((address, port), self.options.connect_timeout)
                    self.target.settimeout(None)
                    self.target.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                except TimeoutError:
                    code = wire.TTL_EXPIRED
                except OSError as error:
                    code = wire.reply_code(error.errno)
        if code or short:
            self.event("unreachable", code=code or short)
            self.reply(bytes([wire.SOCKS, short]) if short else wire.encode_reply(code))
            self.writer.finish()
            self.writer.drain()
            raise wire.Closed
        bound = self.target.getsockname()
        self.event("connected", local=list(bound[:2]))
        self.reply(self.success(*bound[:2]))

    def success(self, host, port):
        """A good reply; its ATYP is independent of the request's (RFC 1928 §6)."""
        atyp = self.faults.number("atyp")
        if atyp in (1, 4) and wire.family(host) != {1: socket.AF_INET, 4: socket.AF_INET6}[atyp]:
            host = "::1" if atyp == 4 else "127.0.0.1"
        reply = bytearray(wire.encode_reply(wire.OK, "bound." + "x" * 200 if atyp == 3 else host, port, atyp))
        if atyp not in (None, 1, 3, 4):
            reply[3] = atyp
        if self.faults.on("reply-version"):
            reply[0] = self.faults.octet("reply-version")
        return bytes(reply)

    def reply(self, reply):
        if self.target and self.faults.on("join"):
            reply += self.target.recv(1024)
        if self.gss is None or self.faults.on("clear-reply"):
            self.writer.send("reply", reply)
            return
        if self.faults.on("empty-token", "reply"):
            self.writer.raw(self.gss.seal(b"", self.level))
        if self.faults.on("split-reply"):
            for octet in reply:
                self.writer.raw(self.gss.seal(bytes([octet]), self.level))
            return
        level = self.level
        if self.faults.on("conf-true"):
            level = wire.CONFIDENTIALITY
        elif self.faults.on("conf-false", "reply"):
            level = wire.INTEGRITY
        self.writer.send("reply", self.gss.seal(reply, level))

    # --- data, RFC 1961 §5 ---

    def open_next(self):
        frame = wire.read_frame(self.reader)
        self.up_frames += 1
        return self.gss.open(frame, self.level)

    def relay(self):
        self.downlink = Downlink(self.target, self.writer, self.gss, self.level, self.faults)
        down = threading.Thread(target=self.run_downlink, daemon=True)
        down.start()
        try:
            self.run_uplink()
        except wire.Closed:
            self.event("client-eof")
            _shutdown(self.target, socket.SHUT_WR)  # their half-close becomes ours
        except (wire.ProtocolError, wire.Aborted, OSError):
            # The target must not take it for the client's end: it is reset when we close.
            self.target.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            _shutdown(self.target, socket.SHUT_RD)
            _shutdown(self.connection, socket.SHUT_RDWR)
            raise
        finally:
            down.join()

    def run_uplink(self):
        while True:
            if self.gss:
                data = self.open_next()
            else:
                data = self.reader.read1(BUFFER)
                if not data:
                    raise wire.Closed
            self.up_octets += len(data)
            self.target.sendall(data)

    def run_downlink(self):
        try:
            self.downlink.run()
            self.event("target-eof")
        except SessionOver as over:  # the fault is committed; the uplink stays until the client goes
            if str(over) == "reset":
                _shutdown(self.connection, socket.SHUT_RD)  # wakes the uplink, whose close then resets
        except OSError as error:
            self.event("downlink-over", error=str(error))
            _shutdown(self.connection, socket.SHUT_RDWR)  # wakes the uplink, which ends the target


class _Bytes:
    """A reader over one message."""

    def __init__(self, data):
        self._data = data

    def read(self, count):
        head, self._data = self._data[:count], self._data[count:]
        return head

    def left(self):
        return len(self._data)


def _shutdown(end, how):
    try:
        end.shutdown(how)
    except OSError:
        pass


class Server:
    def __init__(self, options, session=Session, misbehaviour=Misbehaviour):
        self.options = options
        self.session = session
        self.faults = misbehaviour(options.misbehave)
        self.hosts = dict(item.lower().split("=", 1) for item in options.host)
        self._print = threading.Lock()
        self.credentials = None
        if options.service:
            name = gssapi.Name(options.service, gssapi.NameType.hostbased_service)
            self.credentials = gssapi.Credentials(name=name, usage="accept")

    def event(self, kind, **fields):
        if self.options.events:
            with self._print:
                print(json.dumps({"event": kind, **fields}), flush=True)

    def serve(self):
        host, port = wire.parse_endpoint(self.options.listen)
        with socket.create_server((host, port), family=wire.family(host), backlog=1024) as listener:
            host, port = listener.getsockname()[:2]
            print(f"listening on {f'[{host}]' if ':' in host else host}:{port}", flush=True)
            for number in itertools.count():
                connection, peer = listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.event("session", session=number, peer=list(peer[:2]))
                threading.Thread(target=self.session(self, number, connection).run, daemon=True).start()


def parser(description=__doc__):
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listen", default="127.0.0.1:0", metavar="ADDR:PORT")
    parser.add_argument("--methods", default="gssapi", help="in order of preference")
    parser.add_argument("--levels", default="1,2", help="protection levels agreed to; otherwise the highest is answered")
    parser.add_argument("--nec", action="store_true", help="the level in clear")
    parser.add_argument("--service", help="host-based service to accept for (default: any key of the keytab)")
    parser.add_argument("--user", default="", help="NAME:PASSWORD")
    parser.add_argument("--host", action="append", default=[], metavar="NAME=ADDRESS", help="a name we can resolve")
    parser.add_argument("--connect-timeout", type=float, default=10)
    parser.add_argument("--events", action="store_true")
    parser.add_argument("--misbehave", action="append", default=[], metavar="FAULT")
    return parser


if __name__ == "__main__":
    try:
        Server(parser().parse_args()).serve()
    except KeyboardInterrupt:
        pass
