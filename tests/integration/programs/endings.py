"""Sends "data" on a connection, says so on stdout, and ends it in the way that is named, as soon as stdin ends."""

import ctypes
import errno
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile

from common import arguments, resolve

host, port, (way,) = arguments()
family, address = resolve(host, port)
connection = socket.socket(family)
connection.connect(address)
connection.sendall(b"data")


def child(function=lambda: None):
    """A forked child that does it and ends; with its end of a pipe that says so."""
    read_end, write_end = os.pipe()
    if os.fork() == 0:
        os.close(read_end)
        function()
        os._exit(0)
    os.close(write_end)
    return read_end


def after_the_parent(function):
    """In a child that goes on when the parent has ended."""
    read_end, write_end = os.pipe()
    if os.fork() != 0:
        return
    os.close(write_end)
    assert os.read(read_end, 1) == b""
    function()
    os._exit(0)


def execute_missing():
    try:
        os.execvp("no-such-program", ["no-such-program"])
    except FileNotFoundError:
        connection.sendall(b", more")


def execute_nonsense():
    """Of an executable file that the kernel then refuses."""
    with tempfile.NamedTemporaryFile(delete=False) as file:
        file.write(b"\0nonsense")
    os.chmod(file.name, 0o755)
    try:
        os.execv(file.name, ["nonsense"])
    except OSError as error:
        assert error.errno == errno.ENOEXEC
    finally:
        os.unlink(file.name)


def more():
    connection.sendall(b", more")


WAYS = {
    "close": connection.close,
    "shutdown": lambda: (connection.shutdown(socket.SHUT_WR), connection.recv(1)),
    "shutdown and exit": lambda: connection.shutdown(socket.SHUT_WR),
    "return": lambda: None,
    "_exit": lambda: os._exit(0),
    "quick_exit": lambda: ctypes.CDLL(None).quick_exit(0),
    "exec": lambda: os.execv("/bin/true", ["true"]),
    "exec of nothing": execute_missing,
    "dup": lambda: (connection.dup(), connection.close()),
    "a program beside": lambda: (subprocess.run(["true"], check=True), more()),
    "a child exits": lambda: (os.read(child(), 1), more()),
    "a child executes": lambda: (os.read(child(lambda: os.execv("/bin/true", ["true"])), 1), more()),
    "a child that cannot execute": lambda: (os.read(child(execute_nonsense), 1), more()),
    "a child closes": lambda: (os.read(child(connection.close), 1), more()),
    "a child is the last": lambda: (after_the_parent(lambda: None), more()),
    "a child is the last after close": lambda: (after_the_parent(lambda: None), more(), connection.close()),
    "daemon": lambda: after_the_parent(more),
    "daemon of a daemon": lambda: after_the_parent(lambda: (after_the_parent(more), os._exit(0))),
    "reset": lambda: (connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)), connection.close()),
    "killed": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "a child is killed": lambda: (os.read(child(lambda: os.kill(os.getpid(), signal.SIGKILL)), 1), more(), connection.close()),
}
OTHERS = {"exec of nonsense, then a program reads": lambda: (execute_nonsense(), subprocess.run(["cat"], stdin=connection, check=True))}
print("sent", flush=True)
sys.stdin.read()
(WAYS | OTHERS)[way]()
