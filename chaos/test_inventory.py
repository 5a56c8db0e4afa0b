"""Tests of the comparison between a state and a cloud."""
import json
import tempfile
import unittest
from pathlib import Path

import inventory

NOTHING = {kind: [] for kind in inventory.KINDS}
WANTED = dict.fromkeys(inventory.KINDS, 0) | {"key": 1}


class Comparing(unittest.TestCase):
    def test_a_whole_stack_has_no_findings(self):
        there = NOTHING | {"key": ["k1"]}
        self.assertEqual(set(inventory.compare(there, there, WANTED).values()), {0})

    def test_an_object_that_the_state_does_not_know_is_an_orphan(self):
        found = inventory.compare(NOTHING | {"key": ["k1"]}, NOTHING, WANTED)
        self.assertEqual(found, {"orphans": 1, "dangling": 0, "duplicates": 0, "missing": 0})

    def test_a_second_key_is_a_duplicate_even_when_the_state_knows_it(self):
        there = NOTHING | {"key": ["k1", "k2"]}
        self.assertEqual(inventory.compare(there, there, WANTED)["duplicates"], 1)

    def test_one_object_too_many_does_not_make_up_for_a_missing_one(self):
        there = NOTHING | {"user": ["u"]}
        found = inventory.compare(there, there, WANTED)
        self.assertEqual((found["duplicates"], found["missing"]), (1, 1))

    def test_what_only_the_state_has_is_dangling(self):
        self.assertEqual(inventory.compare(NOTHING, NOTHING | {"table": ["t"]}, WANTED)["dangling"], 1)


class States(unittest.TestCase):
    def test_no_file_is_an_empty_state_and_half_a_file_is_not_readable(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "x.tfstate"
            self.assertEqual(inventory.of_state(path), (NOTHING, True))
            path.write_text('{"version": 4, "resou')
            self.assertFalse(inventory.of_state(path)[1])

    def test_objects_are_named_as_the_cloud_names_them(self):
        attachment = {"mode": "managed", "type": "aws_iam_user_policy_attachment", "name": "a",
                      "instances": [{"attributes": {"user": "u", "policy_arn": "arn:p"}}]}
        data = {"mode": "data", "type": "aws_kms_key", "name": "d", "instances": [{"attributes": {"key_id": "k"}}]}
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "x.tfstate"
            path.write_text(json.dumps({"resources": [attachment, data]}))
            self.assertEqual(inventory.of_state(path)[0], NOTHING | {"attachment": ["u|arn:p"]})


if __name__ == "__main__":
    unittest.main()
