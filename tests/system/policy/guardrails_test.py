#!/usr/bin/env python3
"""The guardrails of examples/guardrails pass their cases, and each policy in them is
needed: without any one of them a case fails.  Usage: guardrails_test.py REMIT FOLDER"""
import os
import re
import subprocess
import sys
import tempfile

remit, folder = sys.argv[1:]


def run_cases(path):
    done = subprocess.run([remit, "policy", "test", path], capture_output=True, text=True,
                          check=False)
    return done.returncode, done.stdout.strip().split("\n")[-1], done.stderr


def written(path, name):
    with open(os.path.join(path, name), encoding="utf-8") as file:
        return file.read()


def without(text, statement):
    """The file without one policy; an object that would be empty keeps one that never holds."""
    start, end = statement.span()
    return text[:start] + "  forbid (principal, action, resource) when { false };\n" + text[end:]


code, last, errors = run_cases(folder)
if code != 0 or not re.fullmatch(r"\d+ passed, 0 failed", last):
    sys.exit(f"{folder}: {last}\n{errors}")
removed = 0
for policies in sorted(n for n in os.listdir(folder) if not n.endswith(".test.yaml")):
    cases = policies.replace(".yaml", ".test.yaml")
    for statement in re.finditer(r"(?:  @.*\n)?  forbid [^;]*;\n", written(folder, policies)):
        with tempfile.TemporaryDirectory() as other:
            for name, text in ((policies, without(written(folder, policies), statement)),
                               (cases, written(folder, cases))):
                with open(os.path.join(other, name), "w", encoding="utf-8") as file:
                    file.write(text)
            code, last, _ = run_cases(other)
        if code == 0:
            sys.exit(f"{policies}: no case fails without:\n{statement[0]}")
        removed += 1
if removed < 7:
    sys.exit(f"only {removed} policies were found in {folder}")
print(f"{removed} policies, each needed")
