"""Runs tools/run-fuzz on targets that only pretend."""
import os
import stat
import subprocess
import sys
import tempfile
import unittest

TOOL = os.path.join(sys.argv.pop(1), "tools", "run-fuzz")
# What a program built with -fsanitize=undefined does at its first undefined behaviour.
UNDEFINED = """#!/bin/sh
echo "a.c:1:1: runtime error: applying zero offset to null pointer" >&2
case "$UBSAN_OPTIONS" in *halt_on_error=1*) exit 1 ;; esac
echo "stat::number_of_executed_units: 7" >&2
"""
FINE = "#!/bin/sh\necho 'stat::number_of_executed_units: 7' >&2\n"


def run(text):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "fuzz", "a_fuzz")
        os.mkdir(os.path.dirname(path))
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, stat.S_IRWXU)
        environment = {name: value for name, value in os.environ.items()
                       if name != "UBSAN_OPTIONS"}
        done = subprocess.run(
            [TOOL, "--seconds", "1", "--corpus", os.path.join(folder, "corpus"),
             os.path.dirname(path)], check=False, env=environment, capture_output=True, text=True)
        return done.returncode, done.stdout


class RunFuzz(unittest.TestCase):
    def test_undefined_behaviour_is_a_failure_and_shown(self):
        status, said = run(UNDEFINED)
        self.assertEqual(status, 1, said)
        self.assertIn("zero offset", said)
        self.assertIn("0 passed, 1 failed", said)

    def test_a_target_that_finds_nothing_passes(self):
        status, said = run(FINE)
        self.assertEqual(status, 0, said)
        self.assertIn("7 runs", said)
        self.assertIn("1 passed, 0 failed", said)


if __name__ == "__main__":
    unittest.main()
