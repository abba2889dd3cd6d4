"""Checks that run-tests counts what each kind of test program prints, and never drops a failure."""
import contextlib
import importlib.machinery
import importlib.util
import io
import json
import os
import sys
import tempfile
import types
import unittest
import unittest.mock

sys.dont_write_bytecode = True
PATH = os.path.join(sys.argv.pop(1), "tools", "run-tests")
LOADER = importlib.machinery.SourceFileLoader("run_tests", PATH)
run_tests = importlib.util.module_from_spec(importlib.util.spec_from_loader("run_tests", LOADER))
LOADER.exec_module(run_tests)

CMOCKA = """[==========] 3 test(s) run.
[  PASSED  ] 1 test(s).
[  SKIPPED ] 1 test(s), listed below:
[  SKIPPED ] c

 1 SKIPPED TEST(S)
[  FAILED  ] 1 test(s), listed below:
[  FAILED  ] b
"""


def count(result, stdout="", stderr=""):
    return run_tests.count({"result": result, "stdout": stdout, "stderr": stderr})


class RunTests(unittest.TestCase):
    def test_a_failure_without_a_count_is_one_failure(self):
        for result in ("FAIL", "TIMEOUT", "ERROR", "UNEXPECTEDPASS", "INTERRUPT"):
            self.assertEqual(count(result), [0, 1, 0])

    def test_a_program_that_claims_success_and_fails_has_failed(self):
        self.assertEqual(count("FAIL", "9 passed, 0 failed\n"), [9, 1, 0])

    def test_a_count_of_failures_wins_over_a_good_exit(self):
        self.assertEqual(count("OK", "1 passed, 2 failed\n"), [1, 2, 0])

    def test_cmocka_is_counted_by_its_summary(self):
        self.assertEqual(count("FAIL", "", CMOCKA), [1, 1, 1])
        self.assertEqual(count("OK", "[  PASSED  ] 41 test(s).\n[  PASSED  ] 2 test(s).\n"),
                         [43, 0, 0])

    def test_the_last_own_line_is_counted_with_and_without_skips(self):
        self.assertEqual(count("OK", '{"a":1}\n7 passed, 0 failed, 2 skipped\n'), [7, 0, 2])
        self.assertEqual(count("OK", "1 passed, 0 failed\nstories: 8 passed, 0 failed\n"),
                         [8, 0, 0])

    def test_unittest_is_counted(self):
        self.assertEqual(count("OK", "", "Ran 13 tests in 2.8s\n\nOK\n"), [13, 0, 0])
        self.assertEqual(count("FAIL", "", "Ran 9 tests in 1s\n\nFAILED (failures=1, errors=2)\n"),
                         [6, 3, 0])

    def test_node_is_counted(self):
        self.assertEqual(count("FAIL", "# tests 6\n# pass 3\n# fail 1\n# skipped 2\n"), [3, 1, 2])

    def test_a_silent_program_counts_as_one(self):
        self.assertEqual(count("OK"), [1, 0, 0])

    def test_a_skipped_program_is_never_passed(self):
        self.assertEqual(count("SKIP", "5 passed, 0 failed\n"), [0, 0, 1])

    def test_the_tests_that_failed_are_named_before_the_last_line(self):
        with tempfile.TemporaryDirectory() as build:
            log = os.path.join(build, "meson-logs", "testlog.json")
            os.mkdir(os.path.dirname(log))
            tests = [{"name": "good", "result": "OK"}, {"name": "bad", "result": "TIMEOUT"}]

            def meson(*_, **__):
                with open(log, "w", encoding="utf-8") as file:
                    file.writelines(json.dumps(test) + "\n" for test in tests)
                return types.SimpleNamespace(returncode=1)

            said = io.StringIO()
            with unittest.mock.patch.object(run_tests.subprocess, "run", meson), \
                 contextlib.redirect_stdout(said):
                self.assertEqual(run_tests.main(build, []), 1)
        self.assertEqual(said.getvalue().split("\n")[-3:],
                         ["failed in bad: 1: TIMEOUT", "1 passed, 1 failed, 0 skipped", ""])


if __name__ == "__main__":
    unittest.main()
