"""Runs tools/run-bench on programs that only print, and reads what it writes."""
import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest

ROOT = sys.argv.pop(1)
TOOL = os.path.join(ROOT, "tools", "run-bench")
NODE = shutil.which("node")
PRINTED = r"""#!/bin/sh
cat <<'END'
{"bench":"a","case":"fast","p50_ns":1500,"peer":"other 1.2","ratio":21.5,"bar":20,"met":true}
{"bench":"a","case":"slow","p50_ns":15,"peer":"other 1.2","ratio":2,"bar":20,"met":false}
{"bench":"a","case":"peers","peer":"third","skipped":"not built"}
{"bench":"a","case":"peers","peer":"fourth","failed":"it exited with a failure"}
{"bench":"a","case":"counted","instructions":1234567,"share":0.04}
{"bench":"a","case":"what is timed","peer":"other 1.2","note":"policies parsed before"}
END
"""


FAILED = '{"bench":"a","case":"peers","peer":"fourth","failed":"it exited with a failure"}\n'


def run(status, mode=stat.S_IRWXU, by_hand=None, printed=PRINTED.replace(FAILED, "")):
    """(exit status, RESULTS.md, results.json) of one program that ends so, printing that."""
    with tempfile.TemporaryDirectory() as folder:
        program = os.path.join(folder, "bench", "a")
        os.mkdir(os.path.dirname(program))
        with open(program, "w", encoding="utf-8") as file:
            file.write(printed + (status if isinstance(status, str) else f"exit {status}\n"))
        os.chmod(program, mode)
        if by_hand is not None:
            with open(os.path.join(folder, "apart.md"), "w", encoding="utf-8") as file:
                file.write(by_hand)
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
        self.assertIn("\nIt **failed (Permission denied)**.\n", text)
        self.assertEqual(kept["results"]["a"], [])

    def test_a_missed_bar_is_marked_and_fails(self):
        status, text, _ = run(1)
        self.assertEqual(status, 1)
        self.assertIn("| slow | 15 ns |  | other 1.2 | 2 |  | 20 | **missed** |", text)
        self.assertIn("\nIt **missed a bar**.\n", text)

    def test_a_program_that_fails_says_so_whatever_it_has_printed(self):
        for end, what in ((2, "exit 2"), ("kill -SEGV $$\n", "signal 11")):
            status, text, _ = run(end)
            self.assertEqual(status, 1)
            self.assertIn(f"\nIt **failed ({what})**.\n", text)
        for printed in ("#!/bin/sh\n", f"#!/bin/sh\necho '{FAILED.strip()}'\n"):
            self.assertIn("\nIt **failed (exit 1)**.\n", run(1, printed=printed)[1])
        self.assertIn("\nIt **failed (exit 1)**.\n", run(1, printed=PRINTED)[1])
        self.assertIn("\nIt **failed (it printed no row)**.\n", run(0, printed="#!/bin/sh\n")[1])

    def test_what_was_skipped_or_failed_says_so(self):
        status, text, _ = run(0, printed=PRINTED)
        self.assertEqual(status, 0)
        self.assertIn("| fast | 1.5 µs |  | other 1.2 | 21.5 |  | 20 |  |", text)
        self.assertIn("| counted |  | 1,234,567 |  |  | 0.04 |  |  |", text)
        self.assertIn("| peers |  |  | third |  |  |  | skipped: not built |", text)
        self.assertIn("| peers |  |  | fourth |  |  |  | failed: it exited with a failure |", text)

    def test_notes_stand_below_the_table_and_all_is_kept(self):
        _, text, kept = run(0)
        self.assertIn("\n\nother 1.2, what is timed: policies parsed before.\n", text)
        self.assertNotIn("| what is timed", text)
        self.assertEqual(len(kept["results"]["a"]), 5)
        self.assertGreaterEqual(kept["load"], 0)

    def test_a_section_says_what_its_ratio_is(self):
        row = '{"case":"a","ratio":2}'
        self.assertIn("\n\nratio: beside a peer how many times as fast", run(0)[1])
        own = '{"case":"ratio","note":"of its own"}'
        _, text, _ = run(0, printed=f"#!/bin/sh\necho '{row}'\necho '{own}'\n")
        self.assertEqual(text.count("\nratio: "), 1)
        self.assertIn("\nratio: of its own.\n", text)
        other = '{"case":"a","kib":1}'
        self.assertNotIn("ratio", run(0, printed=f"#!/bin/sh\necho '{other}'\n")[1])

    def test_a_bar_is_shown_like_what_it_is_for(self):
        rows = ['{"case":"a","p99_ns":15000,"bar_ns":20000,"met":true}',
                '{"case":"b","per_second":1033057,"bar_per_second":1000000,"met":true}']
        _, text, _ = run(0, printed="#!/bin/sh\n" + "".join(f"echo '{row}'\n" for row in rows))
        self.assertIn("| a | 15 µs |  | 20 µs |  |", text)
        self.assertIn("| b |  | 1,033,057 | 1,000,000 |  |", text)

    def test_what_is_written_by_hand_stands_below_the_tables(self):
        _, text, _ = run(1, by_hand="## why a is slow\n\nIt waits.\n")
        self.assertTrue(text.endswith("It **missed a bar**.\n\n## why a is slow\n\n"
                                      "It waits.\n"), text)


ANNOTATED = r"""
1,000,000 (100.0%)  PROGRAM TOTALS
--------------------------------------------------------------------------------
Ir                  file:function
--------------------------------------------------------------------------------
  900,000 (90.00%)  base/loop.c:loop_run [/build/remitd]
  300,000 (30.00%)  base/json.c:walk'2 [/build/remitd]
  120,000 (12.00%)  base/json.c:walk [/build/remitd]
   50,000 ( 5.00%)  base/json_internal.h:walk [/build/remitd]
   40,000 ( 4.00%)  services/decide/schemas.c:decide_arguments [/build/remitd]
    6,000 ( 0.60%)  ???:0x000000000029ad80 [/usr/lib/libcrypto.so.3]
"""


def figure(expression):
    """(exit status, value) of an expression over bench/figures.mjs."""
    script = (f"import * as figures from {json.dumps('file://' + ROOT + '/bench/figures.mjs')};\n"
              f"const annotated = {json.dumps(ANNOTATED)};\n"
              f"console.log(JSON.stringify({expression}));\n")
    done = subprocess.run([NODE, "--input-type=module", "-e", script], capture_output=True,
                          text=True, check=False)
    return done.returncode, json.loads(done.stdout) if done.stdout else None


@unittest.skipIf(NODE is None, "no node")
class Figures(unittest.TestCase):
    def test_no_figures_have_no_median(self):
        self.assertEqual(figure("figures.median([])")[0], 1)

    def test_the_median_is_the_middle_or_between_the_two(self):
        self.assertEqual(figure("figures.median([9, 1, 5])"), (0, 5))
        self.assertEqual(figure("figures.median([9, 1, 5, 6])"), (0, 5.5))

    def test_a_road_without_time_of_its_own_has_no_ratio(self):
        rounds = "[{with: 30, without: 10}]"
        of = "{over: 'with', under: 'without', own: 10}"
        self.assertEqual(figure(f"figures.pairedRatio({rounds}, {of})")[0], 1)

    def test_a_ratio_is_of_each_round_less_what_is_not_its_own(self):
        # 110/100, 240/200 and, disturbed in one of the two, 300/100.
        rounds = "[{a: 120, b: 110}, {a: 250, b: 210}, {a: 310, b: 110}]"
        status, ratio = figure(f"figures.pairedRatio({rounds}, {{over: 'a', under: 'b', own: 10}})")
        self.assertEqual((status, ratio), (0, 1.2))
        self.assertEqual(figure(f"figures.pairedDifference({rounds}, {{over: 'a', under: 'b'}})"),
                         (0, 40))

    def test_a_part_that_was_never_called_is_a_mistake(self):
        parts = "figures.partsOf(figures.inclusiveOf(annotated), {schema: ['renamed']}, 100)"
        self.assertEqual(figure(parts)[0], 1)

    def test_parts_are_counted_for_one_call(self):
        costs = "figures.inclusiveOf(annotated)"
        self.assertEqual(figure(f"figures.partsOf({costs}, {{schema: ['decide_arguments', 'x']}}, "
                                "100)"), (0, {"schema": 400}))
        self.assertEqual(figure(f"{costs}.get('PROGRAM TOTALS')"), (0, 1000000))
        # What calls itself, or is of two files, is counted once, with all that it called.
        self.assertEqual(figure(f"{costs}.get('walk')"), (0, 120000))


if __name__ == "__main__":
    unittest.main()
