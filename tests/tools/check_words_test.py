"""Plants words that docs/words.md lacks and expects check-words to find them."""
import os
import subprocess
import sys
import tempfile
import unittest

TOOL = os.path.join(sys.argv.pop(1), "tools", "check-words")


def run(code, words, path="src/domain/a/a.c"):
    with tempfile.TemporaryDirectory() as root:
        for name, text in ((path, code), ("docs/words.md", words)):
            os.makedirs(os.path.dirname(os.path.join(root, name)), exist_ok=True)
            with open(os.path.join(root, name), "w", encoding="utf-8") as file:
                file.write(text)
        return subprocess.run([TOOL, "--root", root], capture_output=True, text=True, check=False)


class CheckWords(unittest.TestCase):
    def test_a_word_of_a_table_that_is_missing_is_found(self):
        result = run('\t[EFFECT_READ] = "read", [EFFECT_WRITE] = "write",\n', "`read`")
        self.assertEqual(result.returncode, 1)
        self.assertIn("EFFECT_WRITE: `write`", result.stdout)
        self.assertNotIn("`read`", result.stdout)

    def test_a_word_of_a_list_that_is_missing_is_found(self):
        result = run('\tX(REASON_NONE, "none", "x") \\\n\tX(REASON_B, "b_c", "y")\n', "`none`")
        self.assertEqual(result.returncode, 1)
        self.assertIn("REASON_B: `b_c`", result.stdout)

    def test_a_word_outside_backticks_does_not_count(self):
        self.assertEqual(run('[A_B] = "read"', "read").returncode, 1)

    def test_services_are_read_too(self):
        self.assertEqual(run('[A_B] = "read"', "", "src/services/a/a.c").returncode, 1)

    def test_known_words_and_other_texts_pass(self):
        result = run('[A_B] = "read", [A_C] = "A sentence."', "| `read` | x |")
        self.assertEqual((result.returncode, result.stdout), (0, ""))


if __name__ == "__main__":
    unittest.main()
