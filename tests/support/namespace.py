"""Commands with a file system view of their own (mount namespace): a hosts file that only one process sees."""

import functools
import os
import shlex
import subprocess
from pathlib import Path

import pytest


@functools.cache
def _unshare():
    """How to get a mount namespace here, or None; root needs nothing, others a user namespace."""
    for argv in (["unshare", "--mount"], ["unshare", "--map-root-user", "--mount"]):
        if subprocess.run([*argv, "mount", "--bind", "/etc/hosts", "/etc/hosts"],
                          capture_output=True, check=False).returncode == 0:
            return argv
    return None


def available():
    return _unshare() is not None


needed = pytest.mark.skipif(not available(), reason="no mount namespace, so no names")


def with_mounts(setup, argv):
    """argv that runs `setup` (a shell line) and then, in the same process, `argv`."""
    return [*_unshare(), "sh", "-ec", f'{setup}; exec "$@"', "sh", *argv]


def with_hosts(path, argv):
    """argv under which `path` is /etc/hosts."""
    return with_mounts(f"mount --bind {shlex.quote(os.fspath(path))} /etc/hosts", argv)


SILENT_NET = str(Path(__file__).with_name("silent_net.py"))


@functools.cache
def can_be_silent():
    return available() and subprocess.run([*_unshare(), "--net", "ip", "link", "set", "lo", "up"],
                                          capture_output=True, check=False).returncode == 0


def silent(argv, setup="true"):
    """argv that runs `argv` in a network without a way out and tells what tried to leave (silent_net.py).

    `setup` is a shell line that may mount.
    """
    return [*_unshare(), "--net", "sh", "-ec", f'{setup}; exec "$@"', "sh", "/usr/bin/python3", SILENT_NET, *argv]
