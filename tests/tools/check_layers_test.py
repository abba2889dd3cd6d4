"""Plants each kind of breach in a small tree and expects check-layers to find it."""
import os
import subprocess
import sys
import tempfile
import unittest

TOOL = os.path.join(sys.argv.pop(1), "tools", "check-layers")


def run(files):
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                file.write(text)
        return subprocess.run([TOOL, "--root", root], capture_output=True, text=True, check=False)


class CheckLayers(unittest.TestCase):
    def refuses(self, path, line, words):
        result = run({path: f"#include <stdint.h>\n{line}\n"})
        self.assertEqual(result.returncode, 1, result.stdout)
        self.assertIn(f"{path}:2:", result.stdout)
        self.assertIn(words, result.stdout)

    def accepts(self, path, line):
        result = run({path: line + "\n"})
        self.assertEqual((result.returncode, result.stdout), (0, ""))

    def test_an_include_upward_is_found_in_every_layer(self):
        order = ["base", "cedar", "domain", "services", "edges", "main"]
        for low, layer in enumerate(order):
            for above in order[low + 1:]:
                self.refuses(f"src/{layer}/a/a.c", f'#include "{above}/b/b.h"',
                             f"{layer} may not know {above}")

    def test_only_edges_and_main_know_wire(self):
        for layer in ("base", "cedar", "domain", "services"):
            self.refuses(f"src/{layer}/a/a.c", '#include "wire/router.h"',
                         f"{layer} may not know wire")
        for layer in ("edges", "main"):
            self.accepts(f"src/{layer}/a/a.c", '#include "wire/router.h"')

    def test_wire_knows_base_alone(self):
        for other in ("cedar", "domain", "services", "edges"):
            self.refuses("src/wire/router.c", f'#include "{other}/x.h"',
                         f"wire may not know {other}")
        self.accepts("src/wire/router.c", '#include "base/text.h"')

    def test_an_edge_including_its_sibling_is_found(self):
        self.refuses("src/edges/api/a.c", '#include "edges/sqlite/b.h"',
                     "edges/api may not know edges/sqlite")
        self.accepts("src/edges/api/a.c", '#include "edges/api/b.h"')

    def test_an_include_not_written_from_src_is_found(self):
        for target in ("b.h", "../base/text.h", "base/../domain/x.h", "nowhere/x.h"):
            self.refuses("src/domain/a/a.c", f'#include "{target}"', "not written from src/")

    def test_the_public_policy_header_counts_as_cedar(self):
        self.refuses("src/base/a.c", '#include "remit/cedar.h"', "base may not know cedar")
        self.accepts("src/cedar/a.c", '#include "remit/cedar.h"')
        self.accepts("src/services/a/a.c", '#include "remit/cedar.h"')

    def test_an_unknown_public_header_is_found(self):
        self.refuses("src/cedar/a.c", '#include "remit/other.h"', "not written from src/")

    def test_a_public_header_knows_only_the_standard(self):
        self.refuses("include/remit/cedar.h", '#include "base/text.h"', "stands alone")
        self.refuses("include/remit/cedar.h", "#include <unistd.h>", "stands alone")
        self.accepts("include/remit/cedar.h", "#include <stdbool.h>")

    def test_a_clock_or_socket_in_a_pure_layer_is_found(self):
        for layer in ("cedar", "domain"):
            for header in ("time.h", "pthread.h", "unistd.h", "sys/socket.h", "fcntl.h"):
                self.refuses(f"src/{layer}/a.c" if layer == "cedar" else f"src/{layer}/a/a.c",
                             f"#include <{header}>", "is pure")
        self.accepts("src/services/a/a.c", "#include <pthread.h>")

    def test_a_library_outside_its_home_is_found(self):
        self.refuses("src/services/a/a.c", "#include <sqlite3.h>", "belongs to")
        self.refuses("src/edges/api/a.c", "#include <microhttpd.h>", "belongs to")
        self.refuses("src/edges/api/a.c", "#include <curl/curl.h>", "belongs to")
        self.refuses("src/domain/token/a.c", "#include <openssl/evp.h>", "belongs to")
        self.accepts("src/wire/a.c", "#include <microhttpd.h>")

    def test_own_headers_in_angles_are_found(self):
        self.refuses("src/edges/api/a.c", "#include <services/decide/decide.h>", "with quotes")

    def test_a_folder_that_is_no_layer_is_found(self):
        result = run({"src/helpers/a.c": "int a;\n"})
        self.assertEqual(result.returncode, 1)
        self.assertIn("no layer", result.stdout)

    def test_spaces_do_not_hide_an_include(self):
        self.refuses("src/base/a.c", '  #  include   "edges/api/a.h"', "base may not know edges")


if __name__ == "__main__":
    unittest.main()
