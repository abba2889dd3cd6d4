"""Runs tools/run-bench on programs that only print, and reads what it writes."""
import json
import os
import stat
import subprocess
import sys
import tempfile
import unittest

TOOL = os.path.join(sys.argv.pop(1), "tools", "run-bench")
PRINTED = r"""#!/bin/sh
cat <<'END'
{"bench":"a","case":"fast","p50_ns":1500,"peer":"other 1.2","ratio":21.5,"bar":20,"met":true}
{"bench":"a","case":"slow","p50_ns":15,"peer":"other 1.2","ratio":2,"bar":20,"met":false}
{"bench":"a","case":"peers","peer":"third","skipped":"not built"}
{"bench":"a","case":"peers","peer":"fourth","failed":"it exited with a failure"}
{"bench":"a","case":"what is timed","peer":"other 1.2","note":"policies parsed before"}
END
"""


def run(status, mode=stat.S_IRWXU):
    """(exit status, RESULTS.md, results.json) of one program that ends so."""
    with tempfile.TemporaryDirectory() as folder:
        program = os.path.join(folder, "bench", "a")
        os.mkdir(os.path.dirname(program))
        with open(program, "w", encoding="utf-8") as file:
            file.write(PRINTED + f"exit {status}\n")
        os.chmod(program, mode)
        done = subprocess.run([TOOL, folder, folder], capture_output=True, text=True, check=False)
        with open(os.path.join(folder, "RESULTS.md"), encoding="utf-8") as file:
            text = file.read()
        with open(os.path.join(folder, "results.json"), encoding="utf-8") as file:
            return done.returncode, text, json.load(file)


class RunBench(unittest.TestCase):
    def test_a_program_that_cannot_be_started_fails(self):
        status, text, kept = run(0, stat.S_IRUSR)
        self.assertEqual(status, 1)
        self.assertIn("## a\n", text)
        self.assertIn("It failed, or missed a bar.", text)
        self.assertEqual(kept["results"]["a"], [])

    def test_a_missed_bar_is_marked_and_fails(self):
        status, text, _ = run(1)
        self.assertEqual(status, 1)
        self.assertIn("| slow | 15 ns | other 1.2 | 2 | 20 | **missed** |", text)
        self.assertIn("It failed, or missed a bar.", text)

    def test_what_was_skipped_or_failed_says_so(self):
        status, text, _ = run(0)
        self.assertEqual(status, 0)
        self.assertIn("| fast | 1.5 µs | other 1.2 | 21.5 | 20 |  |", text)
        self.assertIn("| peers |  | third |  |  | skipped: not built |", text)
        self.assertIn("| peers |  | fourth |  |  | failed: it exited with a failure |", text)

    def test_notes_stand_below_the_table_and_all_is_kept(self):
        _, text, kept = run(0)
        self.assertIn("\n\nother 1.2, what is timed: policies parsed before.\n", text)
        self.assertNotIn("| what is timed", text)
        self.assertEqual(len(kept["results"]["a"]), 5)
        self.assertGreaterEqual(kept["load"], 0)


if __name__ == "__main__":
    unittest.main()
