"""Runs tools/deps against a pretended Debian and looks at what it would install."""
import os
import stat
import subprocess
import sys
import tempfile
import unittest

TOOL = os.path.join(sys.argv.pop(1), "tools", "deps")
BASE = ["build-essential", "meson", "ninja-build", "pkg-config", "python3", "libssl-dev",
        "libyaml-dev", "libsqlite3-dev", "libmicrohttpd-dev", "libcurl4-openssl-dev",
        "libcmocka-dev", "zstd"]
LINT = ["clang-14", "clang-format-14", "clang-tidy-14", "libclang-rt-14-dev", "llvm-14",
        "cppcheck"]

FAKES = {
    "dpkg-query": 'for last; do :; done\n'
                  'grep -qx "$last" "$FAKE/installed" && printf "ii " && exit 0; exit 1\n',
    "apt-cache": 'grep -qx "$2" "$FAKE/available"\n',
    "apt-get": 'echo "apt-get $*" >>"$FAKE/log"\n',
    "sudo": 'echo sudo >>"$FAKE/log"; exec "$@"\n',
    "id": 'echo "$FAKE_UID"\n',
}


def run(installed, available, groups, uid="0"):
    """What the pretended apt-get was told."""
    with tempfile.TemporaryDirectory() as fake:
        for name, text in FAKES.items():
            path = os.path.join(fake, name)
            with open(path, "w", encoding="utf-8") as file:
                file.write("#!/bin/sh\n" + text)
            os.chmod(path, stat.S_IRWXU)
        for name, words in (("installed", installed), ("available", available)):
            with open(os.path.join(fake, name), "w", encoding="utf-8") as file:
                file.write("".join(word + "\n" for word in words))
        environment = {**os.environ, "PATH": fake + ":" + os.environ["PATH"], "FAKE": fake,
                       "FAKE_UID": uid}
        done = subprocess.run([TOOL, *groups], env=environment, capture_output=True, text=True,
                              check=False)
        log = os.path.join(fake, "log")
        text = ""
        if os.path.exists(log):
            with open(log, encoding="utf-8") as file:
                text = file.read()
        return done.returncode, text.strip().split("\n") if text else []


class Deps(unittest.TestCase):
    def test_an_unknown_group_is_refused(self):
        self.assertEqual(run(BASE, [], ["everything"])[0], 2)

    def test_nothing_missing_calls_nothing(self):
        self.assertEqual(run(BASE + LINT, BASE + LINT, ["build", "lint"]), (0, []))

    def test_exactly_what_is_missing_is_installed(self):
        status, log = run([word for word in BASE if word != "zstd"], BASE, ["build"])
        self.assertEqual(status, 0)
        self.assertEqual(len(log), 2, log)
        self.assertTrue(log[0].startswith("apt-get update"))
        self.assertTrue(log[1].endswith("--no-install-recommends zstd"), log[1])

    def test_without_root_it_asks_sudo(self):
        _, log = run(BASE[1:], BASE, ["build"], uid="1000")
        self.assertEqual(log.count("sudo"), 2)

    def test_a_newer_debian_gets_its_own_compiler(self):
        newer = ["clang", "clang-format", "clang-tidy", "libclang-rt-dev", "llvm", "cppcheck"]
        _, log = run(["cppcheck"], newer, ["lint"])
        self.assertTrue(log[1].endswith("clang clang-format clang-tidy libclang-rt-dev llvm"),
                        log[1])
        self.assertEqual(run(newer, newer, ["lint"]), (0, []))


if __name__ == "__main__":
    unittest.main()
