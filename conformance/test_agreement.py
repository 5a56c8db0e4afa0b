"""The comparison of plans must find each kind of disagreement, and accept Terrane's knowing more only when it is right."""
import copy
import unittest

import agreement


def plan(actions=("create",), after=None, unknown=None, before=None, **more):
    change = {"actions": list(actions), "before": before, "after": after, "after_unknown": unknown or {}} | more
    return {"resource_changes": [{"address": "t.a", "mode": "managed", "type": "aws_dynamodb_table", "change": change}]}


def found(terraform, terrane, final=None):
    return agreement.differences(terraform, terrane, {"t.a": final}, {})


class Agreement(unittest.TestCase):
    def test_equal_plans_agree(self):
        one = plan(after={"name": "a", "tags": None}, unknown={"arn": True, "ttl": [{}]})
        self.assertEqual(found(one, copy.deepcopy(one), {"name": "a", "arn": "arn"}), [])

    def test_another_value_is_found(self):
        self.assertRegex(found(plan(after={"name": "a"}), plan(after={"name": "b"}))[0], "'a', Terrane 'b'")

    def test_a_missing_key_is_null(self):
        self.assertEqual(found(plan(after={"name": "a", "tags": None}), plan(after={"name": "a"})), [])

    def test_false_may_be_null_but_not_the_other_way_round(self):
        self.assertEqual(found(plan(after={"a": False}), plan(after={"a": None})), [])
        self.assertEqual(len(found(plan(after={"a": 0}), plan(after={"a": None}))), 1)
        self.assertEqual(len(found(plan(after={"a": True}), plan(after={"a": False}))), 1)

    def test_knowing_more_is_right_when_it_comes_true(self):
        terraform, terrane = plan(after={}, unknown={"arn": True}), plan(after={"arn": "arn:1"})
        self.assertEqual(found(terraform, terrane, {"arn": "arn:1"}), [])
        self.assertRegex(found(terraform, terrane, {"arn": "arn:2"})[0], "predicts 'arn:1', after apply it is 'arn:2'")

    def test_knowing_a_part_of_what_terraform_does_not_know_is_checked(self):
        terraform = plan(after={}, unknown={"ttl": True})
        terrane = plan(after={"ttl": [{"enabled": True}]}, unknown={"ttl": [{"attribute_name": True}]})
        self.assertEqual(found(terraform, terrane, {"ttl": [{"enabled": True, "attribute_name": "x"}]}), [])
        self.assertRegex(found(terraform, terrane, {"ttl": [{"enabled": False, "attribute_name": "x"}]})[0], "predicts")

    def test_knowing_less_is_found(self):
        terraform, terrane = plan(after={"name": "a"}), plan(after={}, unknown={"name": True})
        self.assertRegex(found(terraform, terrane)[0], "Terraform knows 'a', Terrane does not")

    def test_the_order_of_a_set_does_not_matter_and_that_of_a_list_does(self):
        one, two = [{"name": "a"}, {"name": "b"}], [{"name": "b"}, {"name": "a"}]
        self.assertEqual(found(plan(after={"attribute": one}), plan(after={"attribute": two})), [])
        self.assertEqual(len(found(plan(after={"other": one}), plan(after={"other": two}))), 2)

    def test_lists_of_other_lengths_are_found(self):
        self.assertEqual(len(found(plan(after={"l": [1]}), plan(after={"l": [1, 2]}))), 1)

    def test_other_actions_are_found(self):
        self.assertRegex(found(plan(["update"], {"a": 1}), plan(["delete", "create"], {"a": 1}))[0], "Terraform plans")

    def test_an_update_out_of_ignorance_may_be_no_change(self):
        terraform = plan(["update"], {}, {"policy": True}, {"policy": "p"})
        self.assertEqual(found(terraform, plan(["no-op"], {"policy": "p"}, before={"policy": "p"}), {"policy": "p"}), [])
        wrong = plan(["no-op"], {"policy": "p"}, before={"policy": "p"})
        self.assertEqual(len(found(terraform, wrong, {"policy": "q"})), 1)

    def test_a_resource_in_one_plan_only_is_found(self):
        self.assertRegex(found(plan(), {"resource_changes": []})[0], "only in Terraform's plan")
        self.assertRegex(found({}, plan())[0], "only in Terrane's plan")

    def test_other_replace_paths_reasons_and_marks_are_found(self):
        base = plan(["delete", "create"], {"a": 1}, replace_paths=[["a"]], after_sensitive={"a": True})
        other = plan(["delete", "create"], {"a": 1}, replace_paths=[["b"]], after_sensitive={})
        self.assertEqual(len(found(base, other)), 2)


    def test_what_the_provider_forgets_may_be_said_when_it_comes_true(self):
        def alias(arn):
            change = plan(["update"], {"target_key_arn": arn}, before={"target_key_arn": "old"})
            change["resource_changes"][0]["type"] = "aws_kms_alias"
            return change
        self.assertEqual(found(alias("old"), alias("new"), {"target_key_arn": "new"}), [])
        self.assertEqual(len(found(alias("old"), alias("new"), {"target_key_arn": "other"})), 1)
        self.assertEqual(len(found(alias("old"), alias("old"), {"target_key_arn": "new"})), 1)

    def test_a_sensitive_value_may_be_hidden_but_not_its_mark(self):
        marked = plan(["update"], {"s": "secret"}, after_sensitive={"s": True})
        hidden = plan(["update"], {"s": None}, after_sensitive={"s": True})
        self.assertEqual(found(marked, hidden), [])
        self.assertEqual(len(found(marked, plan(["update"], {"s": None}, after_sensitive={}))), 2)


class Outputs(unittest.TestCase):
    def plans(self, theirs, ours):
        return {"output_changes": {"o": theirs}}, {"output_changes": {"o": ours}}

    def test_an_element_may_be_known_earlier(self):
        theirs = {"actions": ["create"], "after": [None, None], "after_unknown": [True, True]}
        ours = {"actions": ["create"], "after": ["x", None], "after_unknown": [False, True]}
        self.assertEqual(agreement.differences(*self.plans(theirs, ours), {}, {"o": ["x", "y"]}), [])
        self.assertEqual(len(agreement.differences(*self.plans(theirs, ours), {}, {"o": ["z", "y"]})), 1)

    def test_an_output_in_one_plan_only_is_found(self):
        self.assertEqual(len(agreement.differences({"output_changes": {"o": {}}}, {}, {}, {})), 1)


if __name__ == "__main__":
    unittest.main()
