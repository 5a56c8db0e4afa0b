"""Tests of the table."""
import types
import unittest

import report

WHOLE = {"orphans": 0, "dangling": 0, "duplicates": 0, "missing": 0, "state_readable": True}
OPTIONS = types.SimpleNamespace(n=24, latency=30, seed=1)


def row(part="kills", exit=-9, found=WHOLE, **again):
    return {"tool": "terrane", "part": part, "trial": "SIGKILL in apply", "exit": exit, "found": found,
            "again": WHOLE | {"exit": 0} | again}


class Losses(unittest.TestCase):
    def test_a_killed_run_that_the_second_one_finishes_lost_nothing(self):
        halfway = WHOLE | {"orphans": 3, "missing": 5}
        self.assertEqual(report.losses([row(found=halfway)], "terrane"), 0)

    def test_each_kind_of_loss_counts(self):
        for lost in (row(orphans=1), row(duplicates=1), row(exit=0) | {"part": "kills"}, row(missing=2), row(dangling=1),
                     row(found=WHOLE | {"state_readable": False}), row(part="faults", exit=1)):
            expected = 0 if lost == row(exit=0) else 1
            self.assertEqual(report.losses([lost], "terrane"), expected, lost)
        self.assertEqual(report.losses([row() | {"again": WHOLE | {"exit": 1}}], "terrane"), 1)

    def test_only_the_named_tool_counts(self):
        self.assertEqual(report.losses([row(orphans=1)], "terraform"), 0)


class Table(unittest.TestCase):
    def test_one_line_for_each_thing_that_happened(self):
        table = report.of([row(), row(orphans=2)], OPTIONS, {"terraform": "it is not on PATH"})
        self.assertIn("| terrane | SIGKILL in apply | 2 | - | 0 | 2 | 0 | 0 | 0 |", table)
        self.assertIn("terraform was not measured: it is not on PATH.", table)


if __name__ == "__main__":
    unittest.main()
