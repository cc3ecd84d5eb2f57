import unittest

import gate
import sim
from trouble import Trouble


class GateTest(unittest.TestCase):
    def test_every_guard_stands_in_its_file(self):
        names = [guard["name"] for guard in gate.listed()]
        self.assertGreater(len(names), 40)
        self.assertEqual(len(names), len(set(names)))
        for guard in gate.listed():
            with self.subTest(guard["name"]):
                self.assertNotEqual(gate.without(guard), (gate.ROOT / guard["file"]).read_text())

    def test_a_guard_that_is_gone_from_the_code_is_told(self):
        with self.assertRaisesRegex(Trouble, "0 times"):
            gate.without({"name": "x", "file": "go.mod", "take": "no such line", "put": ""})

    def test_a_sample_is_spread_over_the_list(self):
        guards = [{"name": str(n)} for n in range(10)]
        self.assertEqual([g["name"] for g in gate.spread(guards, 3)], ["0", "3", "6"])
        self.assertEqual(gate.spread(guards, 20), guards)

    def test_a_run_says_how_many_histories_it_took(self):
        failed = "x_test.go:25: [rapid] failed after 12 tests: broken: every balance is the sum of its entries\n"
        self.assertEqual(gate.read(failed, 1), (13, "every balance is the sum of its entries"))
        self.assertEqual(gate.read("ok", 0), (None, ""))
        self.assertEqual(gate.read("signal: killed", 2), (None, "ended with 2 and no verdict: signal: killed"))


class SimTest(unittest.TestCase):
    def test_a_seed_is_a_whole_number_from_one_on(self):
        self.assertEqual(sim.number("SEED", "7"), 7)
        for text in ("0", "-1", "x", "", "1.5", "9" * 30):
            with self.subTest(text), self.assertRaisesRegex(Trouble, "SEED"):
                sim.number("SEED", text)


if __name__ == "__main__":
    unittest.main()
