"""Fuzz targets are found, run and counted; whatever is not a pass is told with its input."""

import contextlib
import io
import tempfile
import unittest
from pathlib import Path

import fuzz
from trouble import Trouble

KNOWN = [("shared/api", "FuzzBody"), ("shared/api", "FuzzRequests"), ("shared/money", "FuzzParseUnits")]

CODE = """package small

import "testing"

func FuzzFine(f *testing.F) {
	f.Add("a")
	f.Fuzz(func(t *testing.T, s string) { _ = len(s) })
}

func FuzzWrong(f *testing.F) {
	f.Add("a")
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) != 1 {
			t.Fatal("another length")
		}
	})
}

func FuzzSkipped(f *testing.F) { f.Skip("its part is not there") }
"""


class Choosing(unittest.TestCase):
    def test_all_or_those_of_a_package_or_a_name(self):
        self.assertEqual(KNOWN, fuzz.choose(KNOWN))
        self.assertEqual(KNOWN[:2], fuzz.choose(KNOWN, package="./shared/api/"))
        self.assertEqual(KNOWN[2:], fuzz.choose(KNOWN, target="FuzzParseUnits"))

    def test_what_is_unknown_is_named_beside_what_is_there(self):
        with self.assertRaisesRegex(Trouble, "no package “shared/nothing” with fuzz targets"):
            fuzz.choose(KNOWN, package="shared/nothing")
        with self.assertRaisesRegex(Trouble, "no fuzz target “FuzzNothing” in shared/api; there are FuzzBody, FuzzReq"):
            fuzz.choose(KNOWN, "shared/api", "FuzzNothing")

    def test_a_time_is_a_number_and_a_unit(self):
        self.assertEqual([30, 300, 3600], [fuzz.duration(text) for text in ("30s", "5m", "1h")])
        for text in ("", "0s", "30", "1.5s", "-1s", "30 s", "soon"):
            with self.assertRaisesRegex(Trouble, "FOR must be a time"):
                fuzz.duration(text)


class Running(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        (self.root / "go.mod").write_text("module example\n\ngo 1.26\n")
        (self.root / "small").mkdir()
        (self.root / "small" / "small_test.go").write_text(CODE)

    def run_one(self, package, target):
        return fuzz.fuzz(self.root, package, target, 1, self.root / "logs")

    def test_a_pass_a_failure_with_its_file_and_a_skip_that_counts_as_a_failure(self):
        found = fuzz.targets(self.root)
        self.assertEqual([("small", "FuzzFine"), ("small", "FuzzSkipped"), ("small", "FuzzWrong")], found)
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            failed = fuzz.table(found, self.run_one)
        rows = [line.split() for line in printed.getvalue().splitlines() if line.startswith("small ")]
        self.assertEqual([["passed"], ["did", "not", "run"], ["failed"]], [row[4:] for row in rows])
        self.assertGreater(int(rows[0][2].replace(",", "")), 100)
        self.assertEqual("small FuzzSkipped", failed[0])
        self.assertTrue((self.root / failed[1]).is_file(), failed[1])
        self.assertIn("another length", printed.getvalue())
        again = self.run_one("small", "FuzzWrong")  # now the input is among the seeds
        self.assertEqual(("failed", f"small FuzzWrong/{Path(failed[1]).name}"), (again["result"], again["input"]))

    def test_what_does_not_compile_is_trouble(self):
        (self.root / "small" / "small_test.go").write_text("package small\n\nfunc FuzzNot(")
        with self.assertRaisesRegex(Trouble, "do not compile"):
            fuzz.targets(self.root)


if __name__ == "__main__":
    unittest.main()
