//! Condition operators by name.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>

/// A condition operator taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Operator {
    pub(crate) quantifier: Quantifier,
    pub(crate) test: Test,
    /// `Not`: the values must not match.
    pub(crate) negated: bool,
    /// `IfExists`: a missing key satisfies the condition.
    pub(crate) if_exists: bool,
}

/// How the several values of a request's key are treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quantifier {
    None,
    ForAllValues,
    ForAnyValue,
}

/// How one value of the request is compared with one value of the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Test {
    StringEquals,
    StringEqualsIgnoreCase,
    StringLike,
    NumericEquals,
    NumericLessThan,
    NumericLessThanEquals,
    NumericGreaterThan,
    NumericGreaterThanEquals,
    DateEquals,
    DateLessThan,
    DateLessThanEquals,
    DateGreaterThan,
    DateGreaterThanEquals,
    Bool,
    BinaryEquals,
    IpAddress,
    ArnLike,
    Null,
}

impl Operator {
    /// Reads an operator's name, without regard to case; `None` if AWS has no such operator.
    pub(crate) fn parse(name: &str) -> Option<Operator> {
        let lower = name.to_ascii_lowercase();
        let (quantifier, rest) = match lower.split_once(':') {
            Some(("forallvalues", rest)) => (Quantifier::ForAllValues, rest),
            Some(("foranyvalue", rest)) => (Quantifier::ForAnyValue, rest),
            Some(_) => return None,
            None => (Quantifier::None, lower.as_str()),
        };
        let (rest, if_exists) = match rest.strip_suffix("ifexists") {
            Some(rest) => (rest, true),
            None => (rest, false),
        };
        let (test, negated) = match rest {
            "stringequals" => (Test::StringEquals, false),
            "stringnotequals" => (Test::StringEquals, true),
            "stringequalsignorecase" => (Test::StringEqualsIgnoreCase, false),
            "stringnotequalsignorecase" => (Test::StringEqualsIgnoreCase, true),
            "stringlike" => (Test::StringLike, false),
            "stringnotlike" => (Test::StringLike, true),
            "numericequals" => (Test::NumericEquals, false),
            "numericnotequals" => (Test::NumericEquals, true),
            "numericlessthan" => (Test::NumericLessThan, false),
            "numericlessthanequals" => (Test::NumericLessThanEquals, false),
            "numericgreaterthan" => (Test::NumericGreaterThan, false),
            "numericgreaterthanequals" => (Test::NumericGreaterThanEquals, false),
            "dateequals" => (Test::DateEquals, false),
            "datenotequals" => (Test::DateEquals, true),
            "datelessthan" => (Test::DateLessThan, false),
            "datelessthanequals" => (Test::DateLessThanEquals, false),
            "dategreaterthan" => (Test::DateGreaterThan, false),
            "dategreaterthanequals" => (Test::DateGreaterThanEquals, false),
            "bool" => (Test::Bool, false),
            "binaryequals" => (Test::BinaryEquals, false),
            "ipaddress" => (Test::IpAddress, false),
            "notipaddress" => (Test::IpAddress, true),
            // ArnEquals and ArnLike behave alike.
            "arnequals" | "arnlike" => (Test::ArnLike, false),
            "arnnotequals" | "arnnotlike" => (Test::ArnLike, true),
            "null" if !if_exists => (Test::Null, false),
            _ => return None,
        };
        Some(Operator { quantifier, test, negated, if_exists })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart() {
        let operator = Operator::parse("ForAllValues:StringNotLikeIfExists").expect("an operator");
        assert_eq!(operator.quantifier, Quantifier::ForAllValues);
        assert_eq!(operator.test, Test::StringLike);
        assert!(operator.negated && operator.if_exists);
        assert_eq!(Operator::parse("arnequals"), Operator::parse("ArnLike"));
    }

    #[test]
    fn names_that_aws_does_not_have() {
        for name in ["", "StringEqual", "NullIfExists", "ForSome:StringEquals", "IfExists", "BoolNot"] {
            assert_eq!(Operator::parse(name), None, "{name}");
        }
    }
}
