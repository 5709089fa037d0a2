"""unseen.py HOW HOST PORT: passes a connection on, by which its session goes to the relay process; says what it saw of that.

HOW: plain; subreaper (orphans become ours); full (no descriptor is left); keep (another program goes on with the connection in a
session of its own, on a line from standard input, and says what the echo was; we wait for a signal).
"""

import contextlib
import ctypes
import errno
import os
import resource
import signal
import socket
import subprocess
import sys

from common import say

PR_SET_CHILD_SUBREAPER = 36
KEEPER = "read line; echo $line >&{0}; head -n1 <&{0} >&{1}"
told = []


def echoed(connection, octets):
    connection.sendall(octets)
    return connection.recv(len(octets), socket.MSG_WAITALL) == octets


def pass_on(connection):
    """To ourselves: what counts is that it left."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        socket.send_fds(ours, [b"x"], [connection.fileno()])
        for fd in socket.recv_fds(theirs, 1, 1)[1]:
            os.close(fd)


def children():
    with contextlib.suppress(ChildProcessError):
        return [os.waitpid(-1, os.WNOHANG)[0]]
    return []


def fill():
    """Takes all numbers there are."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))
    with contextlib.suppress(OSError):
        while True:
            os.dup(2)


def main():
    how, address = sys.argv[1], (sys.argv[2], int(sys.argv[3]))
    signal.signal(signal.SIGCHLD, lambda *_: told.append("SIGCHLD"))
    if how == "subreaper":
        assert ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
    with socket.create_connection(address) as connection:
        if how == "keep":
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # whatever we were started with
            signal.signal(signal.SIGHUP, signal.SIG_DFL)
            fd = connection.fileno()
            with subprocess.Popen(["bash", "-c", KEEPER.format(fd, sys.argv[5])], stdin=int(sys.argv[4]),
                                  pass_fds=[fd, int(sys.argv[5])], start_new_session=True):
                say(ready=True)
                signal.pause()
        error = 0
        if how == "full":
            ends = socket.socketpair()
            fill()
            try:
                socket.send_fds(ends[0], [b"x"], [connection.fileno()])
            except OSError as failure:
                error = failure.errno
        else:
            pass_on(connection)
        say(error=errno.errorcode.get(error, 0), echoed=echoed(connection, b"octets"), children=children(), told=told)
    sys.stdin.readline()  # until the relay has gone
    say(children=children(), told=told)


main()
