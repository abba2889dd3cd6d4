"""Plants each kind of breach in a small tree and expects check-source to find it."""
import os
import subprocess
import sys
import tempfile
import unittest

TOOL = os.path.join(sys.argv.pop(1), "tools", "check-source")
SHARED = ".." + "/shared"


def run(files):
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            os.makedirs(os.path.dirname(os.path.join(root, path)) or root, exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                file.write(text)
        return subprocess.run([TOOL, "--root", root], capture_output=True, text=True, check=False)


class CheckSource(unittest.TestCase):
    def refuses(self, path, text, place, rule):
        result = run({path: text})
        self.assertEqual(result.returncode, 1, text)
        self.assertIn(f"{path}:{place}: [{rule}]", result.stdout)

    def accepts(self, files):
        result = run(files)
        self.assertEqual((result.returncode, result.stdout), (0, ""))

    def test_each_banned_call_is_found(self):
        for call in ("strcpy", "strcat", "sprintf", "strtok", "atoi", "gets", "system", "popen",
                     "rand", "localtime", "gmtime", "alloca"):
            self.refuses("bench/a.c", f"\nint a = {call}(b);\n", 2, "banned")

    def test_a_banned_word_in_a_comment_or_string_is_no_call(self):
        self.accepts({"bench/a.c": '/* strcpy(a, b)\n * gets("x") */\nconst char *a = "atoi(";\n'})

    def test_a_longer_name_is_not_the_banned_one(self):
        self.accepts({"bench/a.c": "int a = random_operand(b) + my_system(1);\n"})

    def test_malloc_is_for_base(self):
        text = "void f(void)\n{\n\tp = malloc(3);\n}\n"
        self.refuses("src/domain/task/task.c", text, 3, "banned")
        covered = {"src/base/text.c": text, "src/base/text.h": "",
                   "tests/unit/base/text_test.c": '#include "base/text.h"\n'}
        self.accepts(covered)

    def test_a_todo_needs_an_owner(self):
        self.refuses("docs/a.md", "\nTO" + "DO: later\n", 2, "todo")
        self.accepts({"docs/a.md": "TO" + "DO(ana): later\n"})

    def test_a_line_over_the_limit_is_found_and_one_at_it_is_not(self):
        self.refuses("bench/a.c", "/" * 101 + "\n", 1, "line")
        self.refuses("bench/a.c", "\t" + "/" * 93 + "\n", 1, "line")
        self.accepts({"bench/a.c": "/" * 100 + "\n\t" + "/" * 92 + "\n"})

    def test_a_function_over_the_limit_is_found_and_one_at_it_is_not(self):
        self.refuses("bench/a.c", "int f(void)\n{\n" + "\ta();\n" * 71 + "}\n", 2, "length")
        self.accepts({"bench/a.c": "int f(void)\n{\n" + "\ta();\n" * 70 + "}\n"})

    def test_a_seventh_parameter_is_found_and_a_sixth_is_not(self):
        head = "static int f(int a, int b, int c,\n\tint (*d)(int, int), int e, int g"
        self.refuses("bench/a.c", head + ", int h)\n{\n}\n", 3, "parameters")
        self.accepts({"bench/a.c": head + ")\n{\n}\n"})

    def test_a_mutable_global_is_found(self):
        for line in ("static int count;", "static struct a *list = NULL;",
                     "static char b[3] = {0};"):
            self.refuses("src/main/remitd.c", "\n" + line + "\n", 2, "global")
        self.accepts({"src/main/remitd.c": "static const int a = 1;\nstatic int f(void);\n"
                                           "static const char *const names[] = {0};\n"})

    def test_a_test_name_that_is_no_sentence_is_found(self):
        for name in ("test_parse_a_b", "parse", "parses_ok", "ParsesAllOfIt"):
            self.refuses("tests/unit/a_test.c", f"\tcmocka_unit_test({name}),\n", 1, "sentence")
            self.refuses("tests/unit/a_test.c",
                         f"\tcmocka_unit_test_setup_teardown({name}, a, b),\n", 1, "sentence")
        self.accepts({"tests/unit/a_test.c":
                      "\tcmocka_unit_test(what_no_rule_covers_is_denied),\n"})

    def test_a_module_without_a_test_is_found(self):
        self.refuses("src/wire/router.c", "int a;\n", 1, "untested")
        files = {"src/domain/task/task.c": "", "src/domain/task/task.h": "",
                 "tests/unit/domain/task/a_test.c": '#include "domain/task/epoch.h"\n'}
        self.assertIn("[untested]", run(files).stdout)
        files["tests/unit/domain/task/a_test.c"] = '#include "domain/task/task.h"\n'
        self.accepts(files)

    def test_a_source_without_a_header_is_covered_by_its_folder(self):
        self.accepts({"src/edges/cli/verbs.c": "", "src/edges/cli/cli.h": "",
                      "tests/unit/edges/cli/cli_test.c": '#include "edges/cli/cli.h"\n'})

    def test_a_bound_that_no_test_names_is_found(self):
        header = "enum {\n\tDEPTH_MAX = 3,\n};\n"
        self.refuses("src/cedar/a.h", header, 2, "bound")
        for folder in ("domain/charter", "domain/call", "services/approve"):
            self.refuses(f"src/{folder}/a.h", header, 2, "bound")
        self.accepts({"src/cedar/a.h": header, "tests/unit/a_test.c": "int a = DEPTH_MAX + 1;\n"})
        self.accepts({"src/wire/a.h": header})
        comment = {"src/cedar/a.h": header, "tests/unit/a_test.c": "/* DEPTH_MAX */\n"}
        self.assertIn("[bound]", run(comment).stdout)
        self.accepts({"src/cedar/a.h": header.replace(
            "3,", "3, /* check-source: bound: no text is so deep */")})

    def test_the_folder_beside_the_project_is_named_only_by_its_option(self):
        self.refuses("README.md", f"see {SHARED}/x\n", 1, "forbidden")
        self.accepts({"meson_options.txt": f"'{SHARED}/conformance'\n"})

    def test_a_registry_host_is_found(self):
        self.refuses("tools/deps", "curl https://registry." + "npm" + "js.org/x\n", 1, "forbidden")
        self.refuses("examples/package-lock.json", '{\n"resolved": "https://a.example/x.tgz"\n}\n',
                     1, "forbidden")

    def test_a_lock_file_of_rust_names_no_registry_either(self):
        named = 'source = "registry+https://github.com/rust-lang/crates' + '.io-index"\n'
        self.refuses("bench/peers/a/Cargo.lock", named, 1, "forbidden")
        self.refuses("bench/peers/a/Cargo.toml", named, 1, "forbidden")

    def test_a_machines_folder_is_found(self):
        self.refuses("HACKING.md", "cd /wo" + "rk/main\n", 1, "forbidden")
        self.accepts({"HACKING.md": "src/domain/wo" + "rk is fine\n"})

    GATE = "src/services/call/exchange.c"
    COVERED = {"src/services/call/call_service.h": "",
               "tests/unit/services/call/a_test.c": '#include "services/call/call_service.h"\n'}

    def test_one_function_hands_calls_to_servers(self):
        forward = "static bool forward(void)\n{\n\treturn upstream->start(context);\n}\n"
        self.accepts(self.COVERED | {self.GATE: forward, "src/edges/upstream/a.h": "",
                                     "tests/a.c": '#include "edges/upstream/a.h"\n',
                                     "src/edges/upstream/a.c": "p = {\n\t.start = go,\n};\n"})
        other = "static bool hurry(void)\n{\n\treturn ports.upstream.start(context);\n}\n"
        self.refuses(self.GATE, forward + other, 7, "gate")
        self.refuses("src/services/decide/decide_service.c", other, 3, "gate")
        self.refuses("src/edges/mcp/mcp_call.c", "a()\n{\n\tgo = port->\n\t\tstart;\n}\n", 4,
                     "gate")

    def test_the_gate_is_there_and_hands_over_once(self):
        self.refuses(self.GATE, "static bool forward(void)\n{\n\treturn false;\n}\n", 1, "gate")
        self.refuses(self.GATE, "bool forward(void)\n{\n\tu->start(a);\n\tu->start(a);\n}\n", 1,
                     "gate")

    def test_an_excuse_needs_its_rule_and_a_reason(self):
        self.accepts({"bench/a.c": "/* check-source: banned: a fixture */\nint a = system(b);\n"})
        self.refuses("bench/a.c", "/* check-source: line: a fixture */\nint a = system(b);\n", 2,
                     "banned")
        self.refuses("bench/a.c", "/* check-source: banned: */\nint a = system(b);\n", 2, "banned")


if __name__ == "__main__":
    unittest.main()
