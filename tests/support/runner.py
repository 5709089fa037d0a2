"""Runs commands under `socksify-gss` with nothing of the developer's environment."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from support.servers import base_env, built

PROGRAMS = Path(__file__).resolve().parents[1] / "integration" / "programs"


def program(name, *arguments):
    """argv of one of the small programs under tests/integration/programs."""
    return [sys.executable, str(PROGRAMS / f"{name}.py"), *map(str, arguments)]


class Socksify:
    """`run` waits, `popen` does not. Nothing is bypassed: everything in these tests is on loopback.

    `enter` makes argv one that runs in the client's namespace, if it has one."""

    def __init__(self, realm, home, enter=list):
        self.realm = realm
        self.enter = enter
        self.home = Path(home)

    def env(self, server=None, level="confidentiality", extra=None):
        env = base_env(self.realm.env) | {
            "HOME": str(self.home), "XDG_CONFIG_HOME": str(self.home / "config"), "SOCKSIFY_BYPASS": "",
            "SOCKSIFY_PROTECTION": level,
        }
        if server is not None:
            env["SOCKSIFY_SERVER"] = getattr(server, "address", server)
            env |= getattr(server, "client_env", {})
        env |= extra or {}
        return {k: v for k, v in env.items() if v is not None}

    def popen(self, server, argv, *, level="confidentiality", env=None, options=(), **more):
        settings = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | more
        command = self.enter([built("socksify-gss"), *options, "--", *map(str, argv)])
        return subprocess.Popen(command, env=self.env(server, level, env), **settings)

    def run(self, server, argv, *, level="confidentiality", env=None, options=(), input=None, timeout=180, **more):
        settings = {"stdin": subprocess.PIPE if input is not None else subprocess.DEVNULL,
                    "start_new_session": True} | more
        with self.popen(server, argv, level=level, env=env, options=options, **settings) as process:
            try:
                out, err = process.communicate(input, timeout)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)  # its children too: they hold our pipes
                out, err = process.communicate()
                raise AssertionError(f"{argv} hangs; stdout {out[-2000:]!r}, stderr {err[-2000:]!r}") from None
        return subprocess.CompletedProcess(argv, process.returncode, out, (err or b"").decode(errors="replace"))

    def launcher(self, *arguments, server=None, env=None, level="confidentiality"):
        """The launcher alone: `--check`, `--print-config`, bad options."""
        return subprocess.run([built("socksify-gss"), *map(str, arguments)], env=self.env(server, level, env),
                              capture_output=True, text=True, timeout=180, stdin=subprocess.DEVNULL, check=False)
