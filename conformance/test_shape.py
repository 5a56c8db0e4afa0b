import unittest

import shape


class Shape(unittest.TestCase):
    def test_elements_share_a_path_and_values_are_left_to_others(self):
        document = {"a": [{"b": 1}, {"c": {"d": 2}}], "change": {"after": {"x": 1}}}
        self.assertEqual(shape.keys(document), {".a", ".a[].b", ".a[].c", ".a[].c.d", ".change", ".change.after"})

    def test_a_state_is_no_value_of_a_resource(self):
        self.assertIn(".values.root_module", shape.keys({"values": {"root_module": {}}}))
        self.assertIn(".prior_state.values.root_module", shape.keys({"prior_state": {"values": {"root_module": {}}}}))

    def test_what_is_known_to_differ_is_no_difference(self):
        terraform = {"resource_drift": [{"address": "x"}], "timestamp": "", "complete": True}
        terrane = {"generator": {"name": "terrane"}, "timestamp": "", "extra": 1}
        self.assertEqual(shape.differences(terraform, terrane),
                         [".complete: only Terraform has it", ".extra: only Terrane has it"])


if __name__ == "__main__":
    unittest.main()
