"""CALL FILE STEP...: posix_spawn or posix_spawnp of a file, from where the steps in its file actions lead.

A step is chdir=PATH, fchdir=PATH (opened here), open=PATH (opened by the actions) with fchdir to it, or dup=PATH likewise.
Exits as the program does; says an errno.
"""

import ctypes
import os
import sys

from common import name

libc = ctypes.CDLL(None)
call, file, steps = sys.argv[1], sys.argv[2], sys.argv[3:]
NUMBER = 9
actions = ctypes.create_string_buffer(256)


def add(what, *arguments):
    error = getattr(libc, f"posix_spawn_file_actions_{what}")(actions, *arguments)
    assert error == 0, (what, error)


add("init")
add("addchdir_np", b"/nowhere")  # gone with the actions
add("destroy")
add("init")
for step in steps:
    kind, _, path = step.partition("=")
    if kind == "chdir":
        add("addchdir_np", path.encode())
    elif kind == "fchdir":
        add("addfchdir_np", os.open(path, os.O_RDONLY | os.O_DIRECTORY))
    else:
        if kind == "open":
            add("addopen", NUMBER, path.encode(), os.O_RDONLY | os.O_DIRECTORY, 0)
        else:
            add("adddup2", os.open(path, os.O_RDONLY | os.O_DIRECTORY), NUMBER)
        add("addfchdir_np", NUMBER)
pid = ctypes.c_int()
arguments = (ctypes.c_char_p * 2)(os.path.basename(file).encode(), None)
environment = (ctypes.c_char_p * 1)(None)
result = getattr(libc, call)(ctypes.byref(pid), file.encode(), actions, None, arguments, environment)
add("destroy")
if result:
    print(name(result), flush=True)
    sys.exit(255)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid.value, 0)[1]))
