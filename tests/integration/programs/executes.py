"""WAY COMMAND ARG...: starts a command (a path) with an empty environment of its own, or one that preloads something else.

Like a program that trusts no environment: what it was given itself is cleared first. Exits as the command does; says an errno.
"""

import ctypes
import os
import shlex
import sys

from common import name

libc = ctypes.CDLL(None, use_errno=True)
way, command, argv = sys.argv[1], sys.argv[2], sys.argv[2:]
EMPTY_PATH, AT_FDCWD = 0x1000, -100
way, _, variable = way.partition("+")  # "execve+NAME=value"


def array(*items):
    return (ctypes.c_char_p * (len(items) + 1))(*[item.encode() for item in items], None)


environment = array(*([variable] if variable else []))
arguments = array(*argv)
path = command.encode()
base = os.path.basename(path)
strings = [item.encode() for item in argv] + [None]


def spawn(function, file):
    pid = ctypes.c_int()
    error = function(ctypes.byref(pid), file, None, None, arguments, environment)
    if error:
        ctypes.set_errno(error)
        return -1
    return os.waitstatus_to_exitcode(os.waitpid(pid.value, 0)[1])


def popen():
    libc.popen.restype = ctypes.c_void_p
    stream = libc.popen(shlex.join(argv).encode(), b"w")
    return os.waitstatus_to_exitcode(libc.pclose(ctypes.c_void_p(stream))) if stream else -1


def opened(flags=os.O_RDONLY):
    return os.open(command, flags)


def own_environment():
    """As putenv leaves it."""
    libc.clearenv()
    libc.setenv(b"PATH", os.path.dirname(path), 1)
    if variable:
        libc.setenv(*(part.encode() for part in variable.split("=", 1)), 1)


WAYS = {
    "execve": lambda: libc.execve(path, arguments, environment),
    "execle": lambda: libc.execle(path, *strings, environment),
    "execl": lambda: libc.execl(path, *strings),
    "execlp": lambda: libc.execlp(base, *strings),
    "execv": lambda: libc.execv(path, arguments),
    "execvp": lambda: libc.execvp(base, arguments),
    "execvpe": lambda: libc.execvpe(base, arguments, environment),
    "execveat": lambda: libc.execveat(opened(os.O_PATH), b"", arguments, environment, EMPTY_PATH),
    "execveat-path": lambda: libc.execveat(AT_FDCWD, path, arguments, environment, 0),
    "fexecve": lambda: libc.fexecve(opened(), arguments, environment),
    "syscall": lambda: libc.syscall(59, path, arguments, environment),
    "posix_spawn": lambda: spawn(libc.posix_spawn, path),
    "posix_spawnp": lambda: spawn(libc.posix_spawnp, base),
    "system": lambda: os.waitstatus_to_exitcode(libc.system(shlex.join(argv).encode())),
    "popen": popen,
}

if __name__ == "__main__":
    own_environment()
    result = WAYS[way]()
    if result < 0:
        print(name(ctypes.get_errno()), flush=True)
    os._exit(result & 0xff)
