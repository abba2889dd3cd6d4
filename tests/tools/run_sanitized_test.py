"""Runs tools/run-sanitized where its tests only pretend: how much each of its two runs plays,
and that a failure of either is said last."""
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest

TOOL = os.path.join(sys.argv.pop(1), "tools", "run-sanitized")
# Its first argument is the build: a folder named bad has a test that fails.
RUN_TESTS = """#!/bin/sh
echo "$1: 1 in $REMIT_SHARE."
[ "$(basename "$1")" = bad ] || exit 0
echo "failed in base: 1: FAIL"
exit 1
"""
MESON = "#!/bin/sh\necho '[{\"suite\": [\"remit:threads\"]}]'\n"


class RunSanitized(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp()
        self.write("programs/meson", MESON)
        self.write("tools/run-tests", RUN_TESTS)
        shutil.copy(TOOL, os.path.join(self.root, "tools", "run-sanitized"))

    def tearDown(self):
        shutil.rmtree(self.root)

    def write(self, name, text):
        path = os.path.join(self.root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, stat.S_IRWXU)

    def run_sanitized(self, asan="asan", tsan="tsan", **more):
        kept = {name: value for name, value in os.environ.items() if name != "REMIT_SHARE"}
        path = os.path.join(self.root, "programs") + os.pathsep + os.environ["PATH"]
        done = subprocess.run([os.path.join(self.root, "tools", "run-sanitized"), asan, tsan, "2"],
                              check=False, capture_output=True, text=True,
                              env={**kept, "PATH": path, **more})
        return done.returncode, done.stdout

    def test_both_runs_play_a_share_of_what_is_many_in_the_large(self):
        status, said = self.run_sanitized()
        self.assertEqual(status, 0, said)
        self.assertIn("asan: 1 in 10.\n", said)
        self.assertIn("tsan: 1 in 10.\n", said)

    def test_a_share_that_is_given_stands_in_both_runs(self):
        status, said = self.run_sanitized(REMIT_SHARE="1")
        self.assertEqual(status, 0, said)
        self.assertIn("asan: 1 in 1.\n", said)
        self.assertIn("tsan: 1 in 1.\n", said)

    def test_a_failure_of_either_run_is_one_and_said_last(self):
        for asan, tsan, name in (("bad", "tsan", "address, undefined"), ("asan", "bad", "thread")):
            status, said = self.run_sanitized(asan, tsan)
            self.assertEqual(status, 1, said)
            self.assertTrue(said.endswith(f"sanitize: {name}: failed in base: 1: FAIL\n"), said)

    def test_a_build_without_tests_of_threads_is_a_failure(self):
        self.write("programs/meson", "#!/bin/sh\necho '[]'\n")
        status, said = self.run_sanitized()
        self.assertEqual(status, 1, said)


if __name__ == "__main__":
    unittest.main()
