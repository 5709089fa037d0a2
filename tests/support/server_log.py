"""What a server has written to its log."""

import time

from support.process import HANG


def await_line(server, text):
    """The first line with `text` in it; waits for it."""
    deadline = time.monotonic() + HANG
    while True:
        log = server.stderr()
        for line in log.splitlines():
            if text in line:
                return line
        if time.monotonic() > deadline:
            raise TimeoutError(f"no line with {text!r} in:\n{log}")
        time.sleep(0.01)  # the line is the event; this only paces it
