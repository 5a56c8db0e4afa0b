//! What a plan does with one object, and why.

/// What is done with an instance. A closed set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Nothing: the object is as the spec wants it.
    NoOp,
    /// It is made.
    Create,
    /// A data source is read during apply, since something it needs is not known before.
    Read,
    /// It is changed in place.
    Update,
    /// It is deleted, then made anew.
    DeleteThenCreate,
    /// It is made anew, then the old one is deleted.
    CreateThenDelete,
    /// It is deleted.
    Delete,
    /// It is dropped from the state and left in AWS.
    Forget,
}

impl Action {
    /// Whether the plan changes something in AWS or in the state because of it.
    pub fn is_change(self) -> bool {
        !matches!(self, Action::NoOp | Action::Read)
    }

    /// Either order of replacing.
    pub fn is_replace(self) -> bool {
        matches!(self, Action::DeleteThenCreate | Action::CreateThenDelete)
    }

    /// The names that Terraform's plan JSON uses.
    pub fn json_names(self) -> &'static [&'static str] {
        match self {
            Action::NoOp => &["no-op"],
            Action::Create => &["create"],
            Action::Read => &["read"],
            Action::Update => &["update"],
            Action::DeleteThenCreate => &["delete", "create"],
            Action::CreateThenDelete => &["create", "delete"],
            Action::Delete => &["delete"],
            Action::Forget => &["forget"],
        }
    }
}

/// Why an action was chosen. A closed set; the names are those of Terraform's plan JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The ordinary reason for the action.
    Plain,
    /// An attribute changed that can't be changed in place.
    ReplaceBecauseCannotUpdate,
    /// The object is tainted.
    ReplaceBecauseTainted,
    /// The user asked for it.
    ReplaceByRequest,
    /// `replace_triggered_by` fired.
    ReplaceByTriggers,
    /// The resource is no longer in the spec.
    DeleteBecauseNoResourceConfig,
    /// The resource has no `count` or `for_each` any more, or has one now.
    DeleteBecauseWrongRepetition,
    /// The index lies beyond `count`.
    DeleteBecauseCountIndex,
    /// The key is gone from `for_each`.
    DeleteBecauseEachKey,
    /// The module call is gone.
    DeleteBecauseNoModule,
    /// It moved to an address that is not in the spec.
    DeleteBecauseNoMoveTarget,
    /// The object waits for its deletion, and is brought back.
    UpdateBecausePendingDeletion,
    /// Its predecessor at this address is pending deletion and is brought back.
    UpdateBecausePredecessorPendingDeletion,
    /// A data source's arguments are not known yet.
    ReadBecauseConfigUnknown,
    /// A data source depends on something that changes.
    ReadBecauseDependencyPending,
}

impl Reason {
    /// The name in plan JSON; nothing for the ordinary reason.
    pub fn json_name(self) -> Option<&'static str> {
        Some(match self {
            Reason::Plain => return None,
            // Terraform makes a new object instead, and has no name for it.
            Reason::UpdateBecausePendingDeletion => "update_because_pending_deletion",
            Reason::UpdateBecausePredecessorPendingDeletion => "update_because_predecessor_pending_deletion",
            Reason::ReplaceBecauseCannotUpdate => "replace_because_cannot_update",
            Reason::ReplaceBecauseTainted => "replace_because_tainted",
            Reason::ReplaceByRequest => "replace_by_request",
            Reason::ReplaceByTriggers => "replace_by_triggers",
            Reason::DeleteBecauseNoResourceConfig => "delete_because_no_resource_config",
            Reason::DeleteBecauseWrongRepetition => "delete_because_wrong_repetition",
            Reason::DeleteBecauseCountIndex => "delete_because_count_index",
            Reason::DeleteBecauseEachKey => "delete_because_each_key",
            Reason::DeleteBecauseNoModule => "delete_because_no_module",
            Reason::DeleteBecauseNoMoveTarget => "delete_because_no_move_target",
            Reason::ReadBecauseConfigUnknown => "read_because_config_unknown",
            Reason::ReadBecauseDependencyPending => "read_because_dependency_pending",
        })
    }
}
