"""Plants bugs in a small project and expects each check of tools/lint to find its
own, also after the same file was once clean: what is remembered must not hide."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = sys.argv.pop(1)
CLEAN = """#include <stdlib.h>
char *text_make(void);
char *text_make(void)
{
	return calloc(1, 4);
}
"""
PLANTED = {
    "format": CLEAN.replace("\treturn", "  return"),
    "warnings": CLEAN.replace("\treturn", "\tint unused = 1;\n\treturn"),
    "analyzer": CLEAN.replace("\treturn calloc(1, 4);",
                              "\tchar *text = calloc(1, 4);\n\n\tfree(text);\n\tfree(text);\n"
                              "\treturn calloc(1, 4);"),
    "tidy": CLEAN.replace("\treturn calloc(1, 4);",
                          "\tchar *text = calloc(1, 4);\n\n\tif (text) {\n\t\tfree(text);\n\t}\n"
                          "\treturn text;"),
    "cppcheck": CLEAN.replace("\treturn calloc(1, 4);",
                              "\tchar bytes[4] = {0};\n\n\tbytes[4] = 1;\n"
                              "\treturn calloc(1, (size_t)bytes[0] + 1);"),
}


class Lint(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp()
        os.makedirs(os.path.join(self.root, "tools"))
        os.makedirs(os.path.join(self.root, "src", "base"))
        os.makedirs(os.path.join(self.root, "include"))
        for name in (".clang-format", ".clang-tidy", "tools/lint", "tools/cppcheck.suppressions",
                     "tools/analyzer.h", "src/base/error.h", "src/base/attr.h"):
            shutil.copy(os.path.join(ROOT, name), os.path.join(self.root, name))
        self.write("meson.build",
                   "project('x', 'c', default_options : ['warning_level=3'])\n"
                   "static_library('x', 'src/base/text.c', include_directories : 'src',\n"
                   "  implicit_include_directories : false)\n")
        subprocess.run(["git", "init", "-q", self.root], check=True)

    def tearDown(self):
        shutil.rmtree(self.root)

    def write(self, name, text):
        with open(os.path.join(self.root, name), "w", encoding="utf-8") as file:
            file.write(text)

    def lint(self, check, first_on_path=None, arguments=(), **more):
        path = os.pathsep.join(filter(None, [first_on_path, os.environ["PATH"]]))
        kept = {name: value for name, value in os.environ.items() if name != "REMIT_WERROR"}
        return subprocess.run([os.path.join(self.root, "tools", "lint"), "--only", check,
                               *arguments],
                              capture_output=True, text=True, check=False,
                              env={**kept, "PATH": path, **more})

    def test_a_fuzz_target_is_compiled_although_no_build_here_has_it(self):
        clean = "int LLVMFuzzerTestOneInput(void);\nint LLVMFuzzerTestOneInput(void)\n{\n" \
                "\treturn text_make() == 0;\n}\n"
        self.write("src/base/text.c", CLEAN)
        self.write("src/base/text.h", "char *text_make(void);\n")
        os.makedirs(os.path.join(self.root, "tests", "fuzz", "base"))
        self.write("tests/fuzz/base/text_fuzz.c", clean)
        missing = self.lint("warnings")
        self.assertEqual(missing.returncode, 1, missing.stdout + missing.stderr)
        self.assertIn("text_fuzz.c", missing.stdout)
        self.write("tests/fuzz/base/text_fuzz.c", '#include "base/text.h"\n' + clean)
        good = self.lint("warnings")
        self.assertEqual(good.returncode, 0, good.stdout + good.stderr)

    def test_each_check_finds_its_bug_before_and_after_it_was_clean(self):
        for check, planted in PLANTED.items():
            for text, status in ((planted, 1), (CLEAN, 0), (planted, 1)):
                self.write("src/base/text.c", text)
                result = self.lint(check)
                self.assertEqual(result.returncode, status, check + "\n" + result.stdout)

    def test_a_badly_formatted_file_is_found_among_more_than_are_read_at_once(self):
        for number in range(70):
            self.write(f"src/base/many_{number}.c", CLEAN)
        for bad in (0, 31, 32, 69):
            self.write(f"src/base/many_{bad}.c", PLANTED["format"])
            result = self.lint("format")
            self.assertEqual(result.returncode, 1, str(bad) + result.stdout)
            self.assertIn(f"many_{bad}.c", result.stdout)
            self.write(f"src/base/many_{bad}.c", CLEAN)
        result = self.lint("format")
        self.assertEqual(result.returncode, 0, result.stdout)

    def test_what_one_check_found_clean_another_reads_all_the_same(self):
        self.write("src/base/text.c", PLANTED["tidy"])
        freed = self.lint("analyzer", arguments=("--only", "tidy"))
        self.assertEqual(freed.returncode, 1, freed.stdout)
        self.assertIn("clang-analyzer-unix.Malloc", freed.stdout)

    def test_what_was_clean_at_few_states_is_looked_at_again_at_all_of_them(self):
        self.write("src/base/text.c", CLEAN)
        self.lint("tidy")
        self.lint("tidy", arguments=("--deep",))
        self.assertEqual(len(os.listdir(os.path.join(self.root, "build", "lint", "clean"))), 2)

    def test_where_the_build_stops_at_warnings_they_are_not_looked_for_twice(self):
        self.write("src/base/text.c", PLANTED["warnings"])
        here = self.lint("warnings")
        self.assertEqual(here.returncode, 1, here.stdout + here.stderr)
        left = self.lint("warnings", REMIT_WERROR="1")
        self.assertEqual(left.returncode, 0, left.stdout + left.stderr)

    def test_a_compiler_cache_on_the_machine_changes_nothing(self):
        programs = os.path.join(self.root, "programs")
        self.write("src/base/text.c", CLEAN)
        os.makedirs(programs)
        self.write("programs/ccache", "#!/bin/sh\n"
                   "[ \"$1\" = --version ] && echo 'ccache version 4.7' && exit\nexec \"$@\"\n")
        os.chmod(os.path.join(programs, "ccache"), 0o700)
        cached = self.lint("warnings", programs)
        self.assertEqual(cached.returncode, 0, cached.stdout + cached.stderr)
        with open(os.path.join(self.root, "build", "lint", "meson", "compile_commands.json"),
                  encoding="utf-8") as file:
            self.assertIn("ccache", file.read())

    def test_what_was_clean_is_not_checked_again(self):
        self.write("src/base/text.c", CLEAN)
        self.lint("tidy")
        clean = os.path.join(self.root, "build", "lint", "clean")
        before = sorted(os.listdir(clean))
        self.lint("tidy")
        self.assertEqual(before, sorted(os.listdir(clean)))
        self.assertEqual(len(before), 1)


if __name__ == "__main__":
    unittest.main()
