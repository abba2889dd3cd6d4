"""Runs tools/link-outputs on a build that one script lies in."""
import os
import stat
import subprocess
import sys
import tempfile
import unittest

TOOL = os.path.join(sys.argv.pop(1), "tools", "link-outputs")


def link(files):
    """The links that are made of a build with these files, place to goal."""
    with tempfile.TemporaryDirectory() as folder:
        build, out, fakes = (os.path.join(folder, name) for name in ("meson", "out", "fakes"))
        meson = os.path.join(fakes, "meson")
        for place, text in {**{os.path.join(build, path): text for path, text in files.items()},
                            meson: "#!/bin/sh\necho '[]'\n"}.items():
            os.makedirs(os.path.dirname(place), exist_ok=True)
            with open(place, "w", encoding="utf-8") as file:
                file.write(text)
        os.chmod(meson, stat.S_IRWXU)
        os.makedirs(os.path.join(out, "bench"))
        os.symlink("gone", os.path.join(out, "bench", "old"))
        environment = {**os.environ, "PATH": fakes + ":" + os.environ["PATH"]}
        subprocess.run([TOOL, build, out], check=True, env=environment)
        found = {}
        for top, _, names in os.walk(out):
            for name in names:
                path = os.path.join(top, name)
                goal = os.path.relpath(os.path.realpath(path), os.path.realpath(build))
                found[os.path.relpath(path, out)] = goal
        return found


class LinkOutputs(unittest.TestCase):
    def test_every_script_of_the_bench_is_linked(self):
        found = link({"bench/models": "#!/bin/sh\n", "bench/gateway": "#!/bin/sh\n",
                      "bench/cedar_bench.h": "#define X 1\n"})
        self.assertEqual(found, {"bench/models": "bench/models", "bench/gateway": "bench/gateway"})

    def test_a_script_of_a_test_lies_beside_the_tests(self):
        found = link({"tests/system/flow/flow-replay": "#!/bin/sh\n"})
        self.assertEqual(found, {"tests/flow-replay": "tests/system/flow/flow-replay"})


if __name__ == "__main__":
    unittest.main()
