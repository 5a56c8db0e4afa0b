import unittest

import readers


class Disagreements(unittest.TestCase):
    def test_the_same_verdicts_agree(self):
        self.assertEqual(readers.disagreements({"a": "passed"}, {"a": "passed"}, {}), [])

    def test_another_verdict_and_a_missing_one_are_told(self):
        found = readers.disagreements({"a": "passed", "b": "failed"}, {"a": "failed"}, {})
        self.assertEqual(len(found), 2)
        self.assertIn("not looked at", found[1])

    def test_a_plan_that_knows_more_may_be_judged_more_but_not_otherwise(self):
        self.assertEqual(readers.disagreements({}, {"a": "passed"}, {"a": "passed"}), [])
        self.assertEqual(len(readers.disagreements({}, {"a": "passed"}, {"a": "failed"})), 1)
        self.assertEqual(len(readers.disagreements({}, {"a": "passed"}, {})), 1)


if __name__ == "__main__":
    unittest.main()
