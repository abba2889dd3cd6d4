#!/usr/bin/env python3
"""Runs a command on a pseudo-terminal and types what a script says.

Usage: typed.py SCRIPT COMMAND...  SCRIPT is a JSON file: [[WAIT, TYPE], ...]; each
TYPE is sent once WAIT has been printed since the last one ("^C" is the
interrupt key).  Prints what the terminal showed; exits as the command did.
"""
import json
import os
import pty
import select
import sys
import time

SECONDS = 60


def main(script, command):
    child, terminal = pty.fork()
    if child == 0:
        os.execvp(command[0], command)
    shown, since = b"", b""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        ready, _, _ = select.select([terminal], [], [], 0.05)
        if ready:
            try:
                part = os.read(terminal, 4096)
            except OSError:
                break
            if not part:
                break
            shown, since = shown + part, since + part
        if script and script[0][0].encode() in since:
            typed = script.pop(0)[1]
            os.write(terminal, b"\x03" if typed == "^C" else typed.encode() + b"\r")
            since = b""
    sys.stdout.buffer.write(shown.replace(b"\r\n", b"\n"))
    sys.stdout.flush()
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) & 0xFF


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        sys.exit(main(json.load(file), sys.argv[2:]))
