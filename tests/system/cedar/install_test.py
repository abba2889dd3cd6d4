#!/usr/bin/env python3
"""Installs the build into a temporary folder and uses the policy library from there.

Usage: install_test.py SOURCE_ROOT BUILD.  The program is the one in docs/cedar.md; it is
compiled and linked with what pkg-config says and with nothing else.
"""
import os
import re
import shutil
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


def header():
    with open(os.path.join(ROOT, "include", "remit", "cedar.h"), encoding="utf-8") as file:
        return file.read()


def without_comments():
    return re.sub(r"/\*.*?\*/", "", header(), flags=re.S)


def declared():
    return set(re.findall(r"\b(cedar_\w+)\(", without_comments()))


# For the program of the docs: there is no memory.
NO_ARENA = """
#include <remit/cedar.h>

struct cedar_arena *__wrap_cedar_arena_create(size_t limit_bytes);
struct cedar_arena *__wrap_cedar_arena_create(size_t limit_bytes)
{
	(void)limit_bytes;
	return NULL;
}
"""


# Texts that are constants, by the older standard and to the letter.
PROGRAM_OF_CONSTANTS = """
#include <remit/cedar.h>
#include <stdio.h>

static const struct cedar_text name = CEDAR_TEXT_INIT("x");
static const struct cedar_text names[] = {CEDAR_TEXT_INIT("yy"), CEDAR_TEXT_INIT("z\\0z")};

int main(void)
{
	printf("%d %d %d\\n", (int)name.length, (int)names[0].length, (int)names[1].length);
	return 0;
}
"""

# Every function is linked, and the ways of writing a text that are macros.
PROGRAM_IN_CPP = """
#include <remit/cedar.h>
#include <cstdio>

typedef void (*any)();
static const any all[] = {%s};

int main()
{
	cedar_error err = {};
	cedar_policy_set *set = nullptr;
	static const cedar_text user = CEDAR_TEXT_INIT("User");
	cedar_uid ana = cedar_uid_of(user, CEDAR_TEXT("ana"));

	for (any function : all)
		if (function == nullptr)
			return 1;
	if (!cedar_policy_set_parse(&set, CEDAR_TEXT("permit(principal, action, resource);"),
			nullptr, &err))
		return 1;
	std::printf("%%zu of %%.*s\\n", cedar_policy_set_count(set), (int)ana.id.length,
		ana.id.data);
	cedar_policy_set_destroy(&set);
	return 0;
}
"""


def program_in_cpp():
    names = sorted(declared())
    return PROGRAM_IN_CPP % ", ".join(f"reinterpret_cast<any>({name})" for name in names)


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

    def test_the_program_of_the_docs_says_why_it_fails_without_memory(self):
        source = os.path.join(self.folder.name, "no-memory.c")
        program = os.path.join(self.folder.name, "no-memory")
        with open(source, "w", encoding="utf-8") as file:
            file.write(program_of_the_docs() + NO_ARENA)
        run("cc", "-std=c17", "-Wl,--wrap=cedar_arena_create", source, "-o", program,
            *self.pkg_config("--cflags", "--libs"))
        done = subprocess.run([program], capture_output=True, text=True, check=False,
                              env=dict(os.environ, LD_LIBRARY_PATH=self.library_folder()))
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertRegex(done.stderr, r"^0:0: \w+")

    def test_what_may_fail_must_be_checked(self):
        functions = re.findall(r"^bool (cedar_\w+)\(([^;]*);", without_comments(), re.M)
        careless = [name for name, rest in functions
                    if "struct cedar_error *err" in rest and "CEDAR_MUST_CHECK" not in rest]
        self.assertEqual(careless, [])

    def test_the_header_needs_no_word_of_remit(self):
        self.assertEqual(re.findall(r"(?i)guardrail|charter|entitlement", header()), [])

    def test_the_document_is_there_and_names_what_the_header_has(self):
        found = [os.path.join(where, "cedar.md") for where, _, files in os.walk(self.tree)
                 if "cedar.md" in files]
        self.assertEqual([os.path.relpath(path, self.tree) for path in found],
                         ["usr/local/share/doc/remit/cedar.md"])
        with open(found[0], encoding="utf-8") as file:
            bounds = set(re.findall(r"\b[A-Z_]+_MAX\b", file.read()))
        self.assertEqual({name for name in bounds if name not in header()}, set())

    def test_a_text_may_be_a_constant(self):
        source = os.path.join(self.folder.name, "constants.c")
        program = os.path.join(self.folder.name, "constants")
        with open(source, "w", encoding="utf-8") as file:
            file.write(PROGRAM_OF_CONSTANTS)
        run("cc", "-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", source, "-o", program,
            *self.pkg_config("--cflags"))
        self.assertEqual(run(program), "1 2 3\n")

    @unittest.skipUnless(shutil.which("g++"), "no g++ here")
    def test_a_program_in_cpp_compiles_and_links_with_each_function(self):
        source = os.path.join(self.folder.name, "program.cpp")
        program = os.path.join(self.folder.name, "program-in-cpp")
        with open(source, "w", encoding="utf-8") as file:
            file.write(program_in_cpp())
        run("g++", "-std=c++11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", source, "-o", program,
            *self.pkg_config("--cflags", "--libs"))
        said = run(program, env=dict(os.environ, LD_LIBRARY_PATH=self.library_folder()))
        self.assertEqual(said, "1 of ana\n")

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

    def test_the_manual_page_names_every_function_and_no_other(self):
        with open(os.path.join(ROOT, "docs", "man", "remit-cedar.3"), encoding="utf-8") as file:
            named = set(re.findall(r"\bcedar_\w+", file.read()))
        self.assertEqual(named - {"cedar_error"}, declared())


class MadeInstall(unittest.TestCase):
    """What `make install` does after the build, with commands that only say that they ran."""

    def commands_run(self, user, *arguments):
        with tempfile.TemporaryDirectory() as folder:
            log = os.path.join(folder, "log")
            lines = {"meson": f"echo meson >> {log}", "ldconfig": f"echo ldconfig >> {log}",
                     "id": f"echo {user}"}
            for name, line in lines.items():
                with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                    file.write(f"#!/bin/sh\n{line}\n")
                os.chmod(file.name, 0o755)
            environment = dict(os.environ, PATH=folder + ":" + os.environ["PATH"])
            for name in ("DESTDIR", "MAKEFLAGS", "MAKELEVEL"):
                environment.pop(name, None)
            run("make", "-C", ROOT, "-o", "build", "install", *arguments, env=environment)
            with open(log, encoding="utf-8") as file:
                return file.read().split()

    def test_root_has_the_loader_find_the_library(self):
        self.assertEqual(self.commands_run(0), ["meson", "ldconfig"])

    def test_a_tree_for_packages_or_of_another_user_leaves_the_loader_alone(self):
        self.assertEqual(self.commands_run(0, "DESTDIR=/tmp/tree"), ["meson"])
        self.assertEqual(self.commands_run(1000), ["meson"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
