#!/usr/bin/env python3
"""Installs the build into a temporary folder and uses the policy library from there.

Usage: install_test.py SOURCE_ROOT BUILD.  The program is the one in docs/cedar.md; it is
compiled and linked with what pkg-config says and with nothing else.
"""
import os
import re
import subprocess
import sys
import tempfile
import unittest

ROOT, BUILD = sys.argv[1:3]


def run(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout


def program_of_the_docs():
    with open(os.path.join(ROOT, "docs", "cedar.md"), encoding="utf-8") as file:
        return re.search(r"```c\n(.*?)```", file.read(), re.S).group(1)


def declared():
    with open(os.path.join(ROOT, "include", "remit", "cedar.h"), encoding="utf-8") as file:
        text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
    return set(re.findall(r"\b(cedar_\w+)\(", text))


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.tree = os.path.join(cls.folder.name, "tree")
        run("meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", cls.tree)
        found = [where for where, _, files in os.walk(cls.tree) if "remit-cedar.pc" in files]
        cls.environment = dict(os.environ, PKG_CONFIG_LIBDIR=found[0],
                               PKG_CONFIG_SYSROOT_DIR=cls.tree)
        cls.environment.pop("PKG_CONFIG_PATH", None)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def pkg_config(self, *options):
        return run("pkg-config", *options, "remit-cedar", env=self.environment).split()

    def library_folder(self):
        return next(flag[2:] for flag in self.pkg_config("--libs") if flag.startswith("-L"))

    def test_the_program_of_the_docs_runs_with_pkg_config_alone(self):
        source = os.path.join(self.folder.name, "program.c")
        program = os.path.join(self.folder.name, "program")
        with open(source, "w", encoding="utf-8") as file:
            file.write(program_of_the_docs())
        run("cc", "-std=c17", "-Wall", "-Wextra", "-Werror", source, "-o", program,
            *self.pkg_config("--cflags", "--libs"))
        said = run(program, env=dict(os.environ, LD_LIBRARY_PATH=self.library_folder()))
        self.assertEqual(said, "allow because of policy0\n")

    def test_it_shows_what_the_header_declares_and_nothing_else(self):
        library = os.path.join(self.library_folder(), "libremit-cedar.so")
        lines = run("nm", "-D", "--defined-only", library).splitlines()
        self.assertEqual({line.split()[-1] for line in lines}, declared())

    def test_it_needs_only_the_c_library(self):
        library = os.path.join(self.library_folder(), "libremit-cedar.so")
        needed = re.findall(r"NEEDED.*\[(.*?)\]", run("readelf", "-d", library))
        self.assertEqual([name for name in needed if not name.startswith("libc.so")], [])

    def test_the_header_and_the_manual_page_are_there(self):
        installed = {name for _, _, files in os.walk(self.tree) for name in files}
        self.assertIn("cedar.h", installed)
        self.assertTrue({"remit-cedar.3", "remit-cedar.3.gz"} & installed)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
