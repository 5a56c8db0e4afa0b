"""Each step must fit the example as it stands, so that an edit of the example cannot empty the suite."""
import tomllib
import unittest

import to_tf_json
from cases import EXAMPLE
from steps import STEPS, drop, swap


class Steps(unittest.TestCase):
    def test_each_step_edits_the_example_into_another_valid_spec(self):
        text = (EXAMPLE / "terrane.toml").read_text()
        for step in STEPS:
            with self.subTest(step.name):
                before, text = text, step.edit(text)
                to_tf_json.convert(tomllib.loads(text))
                self.assertTrue(step.actions)
                if step.name not in ("create", "a table deleted by somebody else"):
                    self.assertNotEqual(tomllib.loads(before), tomllib.loads(text))

    def test_an_edit_that_finds_nothing_is_an_error(self):
        for edit in (swap("no such text", ""), drop("no such line")):
            with self.assertRaises(ValueError):
                edit("[locals]\na = 1\n")


if __name__ == "__main__":
    unittest.main()
