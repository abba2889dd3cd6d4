"""Plants figures and rows that are not so any more and expects check-figures to find them."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = sys.argv.pop(1)
TOOL = os.path.join(ROOT, "tools", "check-figures")
FILES = ["schema/controls.json", "tests/controls.tsv", "docs/posture.md",
         "docs/posture-checks.md", "src/domain/control/check.h",
         "src/domain/control/record_check.h", "src/domain/control/measure.h"]


def run(name=None, before="", after=""):
    """On a copy in which the first `before` of the file is `after`."""
    with tempfile.TemporaryDirectory() as root:
        for file in FILES:
            os.makedirs(os.path.dirname(os.path.join(root, file)), exist_ok=True)
            shutil.copy(os.path.join(ROOT, file), os.path.join(root, file))
        if name is not None:
            path = os.path.join(root, name)
            with open(path, encoding="utf-8") as file:
                text = file.read()
            if before not in text:
                raise AssertionError(f"{name} has no {before}")
            with open(path, "w", encoding="utf-8") as file:
                file.write(text.replace(before, after, 1))
        return subprocess.run([TOOL, "--root", root], capture_output=True, text=True, check=False)


class CheckFigures(unittest.TestCase):
    def wrong(self, result, what):
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        self.assertIn(what, result.stdout)

    def test_what_is_so_is_silent(self):
        result = run()
        self.assertEqual((result.returncode, result.stdout), (0, ""), result.stderr)

    def test_a_control_that_lost_its_check_is_counted(self):
        self.wrong(run("schema/controls.json", '"checks": ["tool-unpinned"]',
                       '"unproven": "no more"'), "of them have a check")

    def test_an_attack_that_lost_its_test_is_counted(self):
        self.wrong(run("tests/controls.tsv", "G-20\ttests/unit/services/posture/attack_test.c",
                       "G-20\t-"), "carries out their attack")

    def test_a_check_without_a_row_is_found(self):
        self.wrong(run("docs/posture-checks.md", "| `dormant` |", "| `asleep` |"),
                   "has no row for dormant")

    def test_a_row_with_another_control_or_severity_is_found(self):
        self.wrong(run("src/domain/control/check.h", '"dormant", RISK_MEDIUM',
                       '"dormant", RISK_HIGH'), "says of dormant: G-25 medium")
        self.wrong(run("docs/posture-checks.md", "| G-16 |", "| G-15 |"),
                   "says of used-after-end: G-15")

    def test_a_measure_with_another_bound_is_found(self):
        self.wrong(run("src/domain/control/measure.h", "1000000,", "2000000,"),
                   "says of kill-time: G-24 1000000; it is G-24 2000000")


if __name__ == "__main__":
    unittest.main()
