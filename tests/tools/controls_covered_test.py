"""Plants what is wrong in a table of attack tests and expects controls-covered to find it."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

TOOL = os.path.join(sys.argv.pop(1), "tools", "controls-covered")
TEST = "static void it_is_refused(void **state)\n{\n}\n\tcmocka_unit_test(it_is_refused),\n"


def run(table, test=TEST, script="", is_registered=True):
    with tempfile.TemporaryDirectory() as root:
        build = os.path.join(root, "build")
        program = os.path.join(build, "a_test")
        source = os.path.join(root, "tests", "unit", "a_test.c")
        story = os.path.join(root, "tests", "e2e", "a.mjs")
        texts = {
            "schema/controls.json": json.dumps({"controls": [{"id": "G-01"}, {"id": "G-02"}]}),
            "tests/controls.tsv": "# a line for people\n" + table,
            "tests/unit/a_test.c": test,
            "tests/e2e/a.mjs": script,
            "build/meson-info/intro-targets.json": json.dumps([{
                "filename": [program], "target_sources": [{"sources": [source]}]}]),
            "build/meson-info/intro-tests.json": json.dumps(
                [{"name": "a", "cmd": [program]}, {"name": "b", "cmd": ["run", story]}]
                if is_registered else [{"name": "c", "cmd": ["other"]}]),
        }
        for name, text in texts.items():
            os.makedirs(os.path.dirname(os.path.join(root, name)), exist_ok=True)
            with open(os.path.join(root, name), "w", encoding="utf-8") as file:
                file.write(text)
        return subprocess.run([TOOL, build, "--root", root], capture_output=True, text=True,
                              check=False)


GOOD = "G-01\ttests/unit/a_test.c\tit_is_refused\nG-02\t-\tnobody sees it\n"


class ControlsCovered(unittest.TestCase):
    def wrong(self, result, what):
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        self.assertIn(what, result.stdout)

    def test_the_count_comes_first_and_the_rest_with_reasons(self):
        result = run(GOOD)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertEqual(result.stdout, "controls: 1 / 2 attack tests covered\n"
                                        "  G-02: nobody sees it\n")

    def test_a_control_without_a_row_is_wrong(self):
        self.wrong(run("G-01\t-\tno\n"), "G-02: no row")

    def test_a_control_that_there_is_not_is_wrong(self):
        self.wrong(run(GOOD + "G-03\t-\tno\n"), "G-03: no such control")

    def test_a_file_that_is_gone_is_wrong(self):
        self.wrong(run(GOOD.replace("a_test.c", "b_test.c")), "there is no tests/unit/b_test.c")

    def test_a_test_that_is_gone_is_wrong(self):
        self.wrong(run(GOOD, test="\n"), "runs no test it_is_refused")

    def test_a_test_that_is_defined_and_never_run_is_wrong(self):
        self.wrong(run(GOOD, test=TEST.split("\tcmocka")[0]), "runs no test it_is_refused")

    def test_a_program_that_is_not_registered_is_wrong(self):
        self.wrong(run(GOOD, is_registered=False), "part of no registered test")

    def test_a_test_and_a_reason_for_none_is_wrong(self):
        self.wrong(run(GOOD + "G-01\t-\tno\n"), "a test and a reason")

    def test_scripts_are_looked_through_too(self):
        table = "G-01\ttests/e2e/a.mjs\tit's refused\nG-02\t-\tno\n"
        self.assertEqual(run(table, script="test('it\\'s refused', () => 1);").returncode, 0)
        self.wrong(run(table, script="// it's refused"), "runs no test it's refused")

    def test_a_line_of_another_form_is_refused(self):
        self.assertEqual(run("G-01 - no\n").returncode, 1)


if __name__ == "__main__":
    unittest.main()
