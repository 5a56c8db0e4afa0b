//! The schema of a table.

use std::sync::LazyLock;
use std::time::Duration;

use terrane_model::schema::{
    Attribute, Block, Check, NestedBlock, Nesting, Operation, block, computed, nested, optional,
    optional_computed, required,
};
use terrane_model::{Mode, Schema, Type};

/// The schema.
pub static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new("aws_dynamodb_table", Mode::Managed, "A DynamoDB table.", block(attributes(), blocks()))
        .version(1)
        .timeouts(&[
            (Operation::Create, Duration::from_secs(30 * 60)),
            (Operation::Delete, Duration::from_secs(10 * 60)),
            (Operation::Update, Duration::from_secs(60 * 60)),
        ])
});

/// The type of the elements of a block.
pub fn element(name: &str) -> Type {
    SCHEMA.block.nested(name).map_or(Type::Any, |nested| nested.block.ty())
}

const RESTORE_SOURCES: &[&str] = &["import_table", "restore_source_table_arn"];
const RESTORE_ARN_CONFLICTS: &[&str] = &["import_table", "restore_source_name"];

const RESTORE: &str =
    "Restoring a table from a backup is not supported yet. Restore it with the AWS CLI and import it.";

fn attributes() -> Vec<Attribute> {
    let capacity = |name| {
        optional_computed(name, Type::Number).check(Check::Whole).conflicts_with(&["on_demand_throughput"])
    };
    vec![
        computed("arn", Type::String).doc("ARN of the table."),
        optional("billing_mode", Type::String)
            .default("PROVISIONED")
            .check(Check::OneOf(&["PROVISIONED", "PAY_PER_REQUEST"]))
            .doc("Whether capacity is provisioned or paid by request."),
        optional("deletion_protection_enabled", Type::Bool).doc("Forbid deleting the table."),
        optional_computed("hash_key", Type::String).force_new().doc("Attribute that is the partition key."),
        optional_computed("id", Type::String).doc("Name of the table."),
        required("name", Type::String).force_new().doc("Name of the table."),
        optional("range_key", Type::String).force_new().doc("Attribute that is the sort key."),
        capacity("read_capacity").doc("Read units, when capacity is provisioned."),
        optional("restore_date_time", Type::String)
            .force_new()
            .check(Check::Rfc3339)
            .unsupported(RESTORE)
            .doc("Point in time to restore. Not supported."),
        optional("restore_source_name", Type::String)
            .conflicts_with(RESTORE_SOURCES)
            .unsupported(RESTORE)
            .doc("Table to restore from. Not supported."),
        optional("restore_source_table_arn", Type::String)
            .check(Check::Arn)
            .conflicts_with(RESTORE_ARN_CONFLICTS)
            .unsupported(RESTORE)
            .doc("ARN of the table to restore from. Not supported."),
        optional("restore_to_latest_time", Type::Bool)
            .force_new()
            .unsupported(RESTORE)
            .doc("Restore the latest point in time. Not supported."),
        computed("stream_arn", Type::String).doc("ARN of the stream."),
        optional("stream_enabled", Type::Bool).doc("Whether changes of items are streamed."),
        computed("stream_label", Type::String).doc("Time at which the stream was made."),
        optional_computed("stream_view_type", Type::String)
            .check(Check::OneOf(&["NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES", "KEYS_ONLY", ""]))
            .doc("What the stream says about a changed item."),
        optional("table_class", Type::String)
            .default("STANDARD")
            .check(Check::OneOf(&["STANDARD", "STANDARD_INFREQUENT_ACCESS"]))
            .doc("Storage class."),
        optional("tags", Type::map(Type::String)).doc("Tags."),
        optional_computed("tags_all", Type::map(Type::String))
            .doc("Tags including the provider's default tags."),
        capacity("write_capacity").doc("Write units, when capacity is provisioned."),
    ]
}

fn blocks() -> Vec<NestedBlock> {
    vec![
        nested("attribute", Nesting::Set, attribute())
            .computed()
            .identity(&["name"])
            .doc("Attributes that the table's and the indexes' keys consist of."),
        nested("global_secondary_index", Nesting::Set, global_index()).doc("Indexes with keys of their own."),
        nested("import_table", Nesting::List, import_table())
            .max(1)
            .conflicts_with(&["restore_source_name", "restore_source_table_arn"])
            .unsupported(
                "Making a table from data in S3 is not supported yet. Import the data in another way.",
            )
            .doc("Data to begin with. Not supported."),
        nested("local_secondary_index", Nesting::Set, local_index())
            .force_new()
            .identity(&["name"])
            .doc("Indexes with the table's partition key and another sort key."),
        on_demand_throughput().doc("Limits of on-demand capacity."),
        nested("point_in_time_recovery", Nesting::List, recovery())
            .max(1)
            .computed()
            .doc("Continuous backups."),
        nested("replica", Nesting::Set, replica())
            .unsupported(
                "Replicas of a table are not managed by this resource type yet. Take the blocks out.",
            )
            .doc("Replicas in other regions. Not supported."),
        nested("server_side_encryption", Nesting::List, encryption())
            .max(1)
            .computed()
            .doc("Encryption with a key of KMS."),
        nested("ttl", Nesting::List, expiry()).max(1).computed().doc("Expiry of items."),
    ]
}

fn attribute() -> Block {
    block(
        [
            required("name", Type::String).doc("Name of the attribute."),
            required("type", Type::String)
                .check(Check::OneOf(&["S", "N", "B"]))
                .doc("Text, number or bytes."),
        ],
        [],
    )
}

const PROJECTIONS: Check = Check::OneOf(&["ALL", "KEYS_ONLY", "INCLUDE"]);

fn global_index() -> Block {
    let capacity = |name| optional_computed(name, Type::Number).check(Check::Whole);
    block(
        [
            required("hash_key", Type::String).doc("Attribute that is the partition key."),
            required("name", Type::String).doc("Name of the index."),
            optional("non_key_attributes", Type::set(Type::String))
                .doc("Further attributes, with projection `INCLUDE`."),
            required("projection_type", Type::String)
                .check(PROJECTIONS)
                .doc("Which attributes the index holds."),
            optional("range_key", Type::String).doc("Attribute that is the sort key."),
            capacity("read_capacity").doc("Read units, when capacity is provisioned."),
            capacity("write_capacity").doc("Write units, when capacity is provisioned."),
        ],
        [on_demand_throughput().doc("Limits of on-demand capacity.")],
    )
}

fn local_index() -> Block {
    block(
        [
            required("name", Type::String).force_new().doc("Name of the index."),
            optional("non_key_attributes", Type::list(Type::String))
                .force_new()
                .doc("Further attributes, with projection `INCLUDE`."),
            required("projection_type", Type::String)
                .force_new()
                .check(PROJECTIONS)
                .doc("Which attributes the index holds."),
            required("range_key", Type::String).force_new().doc("Attribute that is the sort key."),
        ],
        [],
    )
}

fn on_demand_throughput() -> NestedBlock {
    let units = |name| optional_computed(name, Type::Number).check(Check::Whole);
    let attributes = [
        units("max_read_request_units").doc("Most read units per second; -1: no limit."),
        units("max_write_request_units").doc("Most write units per second; -1: no limit."),
    ];
    nested("on_demand_throughput", Nesting::List, block(attributes, [])).max(1)
}

fn recovery() -> Block {
    block(
        [
            required("enabled", Type::Bool).doc("Whether the table can be restored to a point in time."),
            optional_computed("recovery_period_in_days", Type::Number)
                .check(Check::Whole)
                .check(Check::Range(1, 35))
                .doc("How far back."),
        ],
        [],
    )
}

fn encryption() -> Block {
    block(
        [
            required("enabled", Type::Bool).doc("Whether a key of KMS is used instead of one that AWS owns."),
            optional_computed("kms_key_arn", Type::String)
                .check(Check::Arn)
                .doc("The key; without it AWS's own for DynamoDB."),
        ],
        [],
    )
}

fn expiry() -> Block {
    block(
        [
            optional("attribute_name", Type::String).doc("Attribute that holds the time of expiry."),
            optional("enabled", Type::Bool).default(false).doc("Whether items expire."),
        ],
        [],
    )
}

fn replica() -> Block {
    block(
        [
            computed("arn", Type::String).doc("ARN of the replica."),
            optional_computed("kms_key_arn", Type::String)
                .check(Check::Arn)
                .doc("Key in the replica's region."),
            optional("point_in_time_recovery", Type::Bool)
                .default(false)
                .doc("Whether it has continuous backups."),
            optional("propagate_tags", Type::Bool).default(false).doc("Whether it gets the table's tags."),
            required("region_name", Type::String).doc("The replica's region."),
            computed("stream_arn", Type::String).doc("ARN of the replica's stream."),
            computed("stream_label", Type::String).doc("Time at which the stream was made."),
        ],
        [],
    )
}

fn import_table() -> Block {
    let csv = block(
        [
            optional("delimiter", Type::String).doc("Character between fields."),
            optional("header_list", Type::set(Type::String)).doc("Names of the fields."),
        ],
        [],
    );
    let options = block([], [nested("csv", Nesting::List, csv).max(1).doc("Options of CSV.")]);
    let source = block(
        [
            required("bucket", Type::String).doc("Name of the bucket."),
            optional("bucket_owner", Type::String).doc("Account that owns it."),
            optional("key_prefix", Type::String).doc("Beginning of the keys."),
        ],
        [],
    );
    block(
        [
            optional("input_compression_type", Type::String)
                .check(Check::OneOf(&["GZIP", "ZSTD", "NONE"]))
                .doc("Compression."),
            required("input_format", Type::String)
                .check(Check::OneOf(&["DYNAMODB_JSON", "ION", "CSV"]))
                .doc("Format."),
        ],
        [
            nested("input_format_options", Nesting::List, options).max(1).doc("Options of the format."),
            nested("s3_bucket_source", Nesting::List, source).min(1).max(1).doc("Where the data lies."),
        ],
    )
}
