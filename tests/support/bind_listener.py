"""BIND of the independent server, RFC 1928 §4 and §6: listens, says where, waits for one connection, says from whom."""

import select
import socket

from support import wire


def accept(session, host, port):
    """The connection that came. The port asked for is taken if it is free; a host that is named is the only one let in."""
    local = session.connection.getsockname()[0]
    with _listen(local, port) as listener:
        session.event("listening", local=list(listener.getsockname()[:2]))
        code = session.faults.number("rep")
        if code:
            session.refuse(code)
        bound = session.faults.text("bound") or local
        session.reply(session.success(bound, listener.getsockname()[1]))
        while True:
            select.select([listener, session.connection], [], [])
            if not _idle(session.connection):
                raise wire.Closed
            target, peer = _accept(listener)
            if target is None:
                continue
            if session.resolve(host) in (None, "0.0.0.0", "::", local, peer[0]):
                break
            session.event("stranger", peer=list(peer[:2]))
            target.close()
    session.event("accepted", peer=list(peer[:2]))
    code = session.faults.number("rep-second")
    if code:
        target.close()
        session.refuse(code)
    target.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    session.target = target
    session.reply(wire.encode_reply(wire.OK, *peer[:2]))
    return target


def _listen(local, port):
    try:
        listener = socket.create_server((local, port), family=wire.family(local), backlog=1)
    except OSError:
        listener = socket.create_server((local, 0), family=wire.family(local), backlog=1)
    listener.setblocking(False)
    return listener


def _accept(listener):
    try:
        target, peer = listener.accept()
    except BlockingIOError:
        return None, None
    target.setblocking(True)
    return target, peer


def _idle(connection):
    """Whether the client is still there; it says nothing meanwhile."""
    try:
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False
