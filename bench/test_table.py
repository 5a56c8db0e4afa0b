"""The table says what was measured, and nothing about what was not."""
import tempfile
import unittest
from pathlib import Path

import table


def measured(tool, wall, part="stack", step="noop", n=8, **more):
    return {"part": part, "tool": tool, "step": step, "n": n, "exit": 0, "wall_s": wall, "memory_mb": 10.0, "calls": 10} | more


def lines(*rows):
    return table.of(rows).splitlines()


def line(text, *rows):
    return next(found for found in lines(*rows) if text in found)


class Bars(unittest.TestCase):
    NAME = "plan without changes, the example stack: time"

    def test_a_bar_is_met_from_its_share_on(self):
        self.assertIn("| 1/20.0 | 1/20 | met |", line(self.NAME, measured("terraform", 2.0), measured("terrane", 0.1)))
        self.assertIn("| 1/10.0 | 1/20 | missed |", line(self.NAME, measured("terraform", 2.0), measured("terrane", 0.2)))

    def test_without_the_other_tool_nothing_is_claimed(self):
        shown = line(self.NAME, measured("terrane", 0.1))
        self.assertIn("| not measured | 0.10 s |  | 1/20 | not compared |", shown)

    def test_what_was_not_measured_has_no_line(self):
        self.assertFalse([found for found in lines(measured("terrane", 1.0)) if "chain" in found])

    def test_the_median_and_the_spread_of_several_runs(self):
        shown = line(self.NAME, *(measured("terraform", w) for w in (1.0, 5.0, 2.0)))
        self.assertIn("2.00 s (1.00–5.00)", shown)

    def test_a_run_that_failed_or_left_something_else_does_not_count(self):
        rows = [measured("terrane", 1.0, step="apply", exit=1), measured("terrane", 1.0, step="apply", as_wanted=False),
                measured("terrane", 3.0, step="apply", as_wanted=True)]
        self.assertIn("3.00 s |", line("apply of the stack", *rows))
        self.assertEqual(len([found for found in lines(*rows) if found.startswith("- terrane, stack of 8, apply")]), 2)

    def test_growth_is_judged_between_the_two_largest(self):
        def rows(walls):
            return [measured("terrane", w, "growth", s, n) for n, w in walls.items() for s in ("plan", "apply", "noop", "destroy")]
        self.assertIn("time 1.00", line("growth exponent", *rows({10: 5.0, 1000: 1.0, 2000: 2.0})))
        self.assertIn("missed", line("growth exponent", *rows({10: 1.0, 1000: 1.0, 2000: 4.0})))
        disturbed = rows({1000: 1.0, 2000: 9.0}) + 2 * rows({1000: 1.0, 2000: 2.0})
        self.assertIn("time 1.00", line("growth exponent", *disturbed))


class Replacing(unittest.TestCase):
    def test_only_what_is_between_the_markers_changes(self):
        with tempfile.NamedTemporaryFile("w+", suffix=".md") as file:
            Path(file.name).write_text(f"before\n{table.BEGIN}\nold\n{table.END}\nafter\n")
            table.replace(Path(file.name), "new\n")
            self.assertEqual(Path(file.name).read_text(), f"before\n{table.BEGIN}\nnew\n{table.END}\nafter\n")

    def test_a_file_without_markers_is_refused(self):
        with tempfile.NamedTemporaryFile("w+") as file, self.assertRaises(SystemExit):
            table.replace(Path(file.name), "new\n")


if __name__ == "__main__":
    unittest.main()
