//! The rules: each with an id that stays, how grave a breach is, and why.

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// Worth knowing.
    Low,
    /// To be put right, or silenced with a reason.
    Medium,
    /// Somebody has access who should not, or everybody.
    High,
}

impl Grade {
    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            Grade::Low => "low",
            Grade::Medium => "medium",
            Grade::High => "high",
        }
    }
}

/// A rule.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// The id, such as `TRN-KMS-001`. It is never given to another rule.
    pub id: &'static str,
    /// A name for tools.
    pub name: &'static str,
    /// How grave a breach is.
    pub grade: Grade,
    /// What is the matter, a noun phrase.
    pub summary: &'static str,
    /// Why it matters.
    pub reason: &'static str,
    /// What to do.
    pub remedy: &'static str,
}

macro_rules! rules {
    ($($constant:ident: $id:literal, $name:literal, $grade:ident, $summary:literal, $reason:literal, $remedy:literal;)*) => {
        $(
            pub(super) static $constant: Rule = Rule {
                id: $id,
                name: $name,
                grade: Grade::$grade,
                summary: $summary,
                reason: $reason,
                remedy: $remedy,
            };
        )*
        /// All rules, by id.
        pub static RULES: &[&Rule] = &[$(&$constant),*];
    };
}

rules! {
    NO_CUSTOMER_KEY: "TRN-DDB-001", "TableWithoutCustomerKey", Medium, "Table without a key of its own account",
        "The table is encrypted by a key that AWS owns or manages: nobody can be kept from the items by the key, and nothing is seen of its use.",
        "Name a key in `server_side_encryption`.";
    NO_RECOVERY: "TRN-DDB-002", "TableWithoutRecovery", Medium, "Table without point-in-time recovery",
        "What is deleted or overwritten by mistake is gone.",
        "Set `point_in_time_recovery = { enabled = true }`.";
    POLICY_ON_USER: "TRN-IAM-001", "PolicyOnUser", Low, "Policy on a user directly",
        "Rights that hang on single users are hard to survey, and stay when somebody changes duties.",
        "Give the policy to a group or a role.";
    ANY_RESOURCE: "TRN-IAM-002", "AnyResource", Medium, "Statement for every resource",
        "The statement allows its actions on everything in the account, also on what others make.",
        "Name the resources in `Resource`.";
    ANY_ACTION: "TRN-IAM-003", "AnyAction", High, "Statement for every action",
        "Who has the policy may do everything with its resources, also what AWS adds later.",
        "Name the actions in `Action`.";
    ALLOW_ALL_BUT: "TRN-IAM-004", "AllowAllBut", Medium, "Everything allowed but what is named",
        "`NotAction` and `NotResource` in a statement that allows give everything that they do not name, also what comes later.",
        "Name what is allowed in `Action` and `Resource`.";
    LONG_LIVED_KEY: "TRN-IAM-005", "LongLivedKey", Medium, "Access key without an end",
        "An access key of a user is valid until somebody takes it away, and its secret is in the state.",
        "Let programs take on a role.";
    OPEN_ROLE: "TRN-IAM-006", "OpenRole", High, "Role that everybody may take on",
        "The trust policy lets in anybody in any account.",
        "Name who may take the role on in `Principal`, or say in `Condition` who it is.";
    NO_ROTATION: "TRN-KMS-001", "KeyWithoutRotation", Medium, "Key without rotation",
        "All data is encrypted under the same key material for as long as the key lives.",
        "Set `enable_key_rotation = true`.";
    NO_ROOT: "TRN-KMS-002", "KeyPolicyWithoutRoot", Medium, "Key policy without a statement for the account's root",
        "IAM policies count for nothing, and when the last principal of the policy is gone nobody can manage the key.",
        "Give the account's root `kms:*`.";
    ADMIN_AND_USE: "TRN-KMS-003", "AdministrationAndUse", Medium, "Administration and use of a key in one statement",
        "Who may change the key's policy should not be who can read the data: otherwise one stolen identity is enough.",
        "Divide the statement into one for administrators and one for users.";
    SHORT_WINDOW: "TRN-KMS-004", "ShortDeletionWindow", Low, "Deletion window shorter than two weeks",
        "When the window is over, all that the key has encrypted is lost. Within it the mistake must be noticed.",
        "Set `deletion_window_in_days` to 14 or more; AWS takes 30 where nothing is said.";
    NO_SAFETY_CHECK: "TRN-KMS-005", "NoSafetyCheck", Medium, "Key policy without the check against locking out",
        "`bypass_policy_lockout_safety_check` takes policies after which nobody can manage the key.",
        "Take the argument out.";
    PUBLIC: "TRN-POL-001", "WildcardPrincipal", High, "Policy that lets everybody in",
        "`Principal` is `*`, and no condition says who is meant: anybody in any account has these rights.",
        "Name the principals, or say in `Condition` who is meant.";
    ALLOW_NOT_PRINCIPAL: "TRN-POL-002", "AllowNotPrincipal", High, "Everybody allowed but who is named",
        "`NotPrincipal` in a statement that allows lets in everybody whom it does not name, without an account too.",
        "Name who is allowed in `Principal`.";
}

/// The rule of an id.
pub fn rule(id: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|rule| rule.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_sorted_and_texts_are_sentences() {
        assert!(RULES.is_sorted_by(|a, b| a.id < b.id));
        for rule in RULES {
            assert!(rule.reason.ends_with('.') && rule.remedy.ends_with('.'), "{}", rule.id);
            assert!(!rule.summary.ends_with('.'), "{}", rule.id);
        }
    }
}
