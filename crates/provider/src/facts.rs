//! What a configured provider knows about where it works. Plans predict ARNs from it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Facts of one provider configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The account, twelve digits. Absent where it could not or should not be asked for.
    pub account: Option<Arc<str>>,
    /// The partition, such as `aws`.
    pub partition: Arc<str>,
    /// The region, such as `eu-west-3`.
    pub region: Arc<str>,
    /// The domain suffix of the partition, such as `amazonaws.com`.
    pub dns_suffix: Arc<str>,
    /// The ARN of the caller.
    pub caller: Option<Arc<str>>,
    /// Tags that every object gets. A value may be unknown at plan: then it is absent here and named in `unknown_tags`.
    pub default_tags: BTreeMap<Arc<str>, Arc<str>>,
    /// Keys of tags that are left alone.
    pub ignored_tags: BTreeSet<Arc<str>>,
    /// Beginnings of keys of tags that are left alone.
    pub ignored_tag_prefixes: BTreeSet<Arc<str>>,
}
