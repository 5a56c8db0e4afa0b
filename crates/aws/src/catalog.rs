//! Everything that this crate offers, in one sorted list.

use std::sync::Arc;

use terrane_provider::{Catalog, DataSource, ResourceType};

use crate::iam::Holder;
use crate::iam::inline_policy::InlinePolicy;
use crate::iam::policy_attachment::PolicyAttachment;
use crate::{config, dynamodb, iam, kms, partition, region, sts};

/// One entry of the list.
#[derive(Clone, Copy)]
enum Entry {
    Resource(fn() -> Arc<dyn ResourceType>),
    Data(fn() -> Arc<dyn DataSource>),
}

/// Resource types and data sources, sorted by name; of the same name the resource type first.
static ENTRIES: &[(&str, Entry)] = &[
    ("aws_caller_identity", Entry::Data(|| Arc::new(sts::caller_identity::CallerIdentity))),
    ("aws_dynamodb_resource_policy", Entry::Resource(|| Arc::new(dynamodb::resource_policy::ResourcePolicy))),
    ("aws_dynamodb_table", Entry::Resource(|| Arc::new(dynamodb::table::Table))),
    ("aws_dynamodb_table", Entry::Data(|| Arc::new(dynamodb::table::lookup::TableLookup))),
    ("aws_dynamodb_table_item", Entry::Resource(|| Arc::new(dynamodb::table_item::TableItem))),
    ("aws_iam_access_key", Entry::Resource(|| Arc::new(iam::access_key::AccessKey))),
    ("aws_iam_group", Entry::Resource(|| Arc::new(iam::group::Group))),
    ("aws_iam_group_membership", Entry::Resource(|| Arc::new(iam::group_membership::GroupMembership))),
    ("aws_iam_group_policy", Entry::Resource(|| Arc::new(InlinePolicy(Holder::Group)))),
    ("aws_iam_group_policy_attachment", Entry::Resource(|| Arc::new(PolicyAttachment(Holder::Group)))),
    ("aws_iam_policy", Entry::Resource(|| Arc::new(iam::policy::Policy))),
    ("aws_iam_policy", Entry::Data(|| Arc::new(iam::policy_lookup::PolicyLookup))),
    ("aws_iam_policy_document", Entry::Data(|| Arc::new(iam::policy_document::PolicyDocument))),
    ("aws_iam_role", Entry::Resource(|| Arc::new(iam::role::Role))),
    ("aws_iam_role", Entry::Data(|| Arc::new(iam::role_lookup::RoleLookup))),
    ("aws_iam_role_policy", Entry::Resource(|| Arc::new(InlinePolicy(Holder::Role)))),
    ("aws_iam_role_policy_attachment", Entry::Resource(|| Arc::new(PolicyAttachment(Holder::Role)))),
    ("aws_iam_user", Entry::Resource(|| Arc::new(iam::user::User))),
    ("aws_iam_user", Entry::Data(|| Arc::new(iam::user_lookup::UserLookup))),
    (
        "aws_iam_user_group_membership",
        Entry::Resource(|| Arc::new(iam::user_group_membership::UserGroupMembership)),
    ),
    ("aws_iam_user_policy", Entry::Resource(|| Arc::new(InlinePolicy(Holder::User)))),
    ("aws_iam_user_policy_attachment", Entry::Resource(|| Arc::new(PolicyAttachment(Holder::User)))),
    ("aws_kms_alias", Entry::Resource(|| Arc::new(kms::alias::Alias))),
    ("aws_kms_alias", Entry::Data(|| Arc::new(kms::alias_lookup::AliasLookup))),
    ("aws_kms_grant", Entry::Resource(|| Arc::new(kms::grant::Grant))),
    ("aws_kms_key", Entry::Resource(|| Arc::new(kms::key::Key))),
    ("aws_kms_key", Entry::Data(|| Arc::new(kms::key_lookup::KeyLookup))),
    ("aws_kms_key_policy", Entry::Resource(|| Arc::new(kms::key_policy::KeyPolicy))),
    ("aws_partition", Entry::Data(|| Arc::new(partition::Partition))),
    ("aws_region", Entry::Data(|| Arc::new(region::Region))),
];

/// Registers the resource types, the data sources and the provider `aws`.
pub fn catalog(catalog: &mut Catalog) {
    for (_, entry) in ENTRIES {
        match entry {
            Entry::Resource(make) => catalog.add_resource(make()),
            Entry::Data(make) => catalog.add_data(make()),
        }
    }
    catalog.add_provider("aws", config::schema());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_and_names_what_it_makes() {
        let place = |entry: &(&'static str, Entry)| (entry.0, matches!(entry.1, Entry::Data(_)));
        assert!(ENTRIES.is_sorted_by(|a, b| place(a) < place(b)));
        for (name, entry) in ENTRIES {
            let made = match entry {
                Entry::Resource(make) => make().schema().type_name,
                Entry::Data(make) => make().schema().type_name,
            };
            assert_eq!(made, *name);
        }
    }
}
