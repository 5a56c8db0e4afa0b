//! What a stack costs a month: values of resources, a dated table of prices and what is known of the usage to amounts.
//!
//! The flow, in the order of the modules: [`money`] (exact amounts), [`prices`] (the table), [`usage`] (what the user says
//! about requests and storage), [`part`] (one line of a bill), one module for each service ([`kms`], [`dynamodb`]),
//! [`mod@estimate`] (all resources, before and after).
//!
//! INVARIANT: synchronous and pure. The table is in the program; there are no calls, no files, no clock. A price that is not
//! in the table is unknown and is never derived from another one.

pub mod money;

pub mod prices;

pub mod usage;

pub mod part;

mod attributes;

pub mod kms;

pub mod dynamodb;

pub mod estimate;

pub use estimate::{Billed, Estimate, Item, ResourceCost, Totals, estimate};
pub use money::{Decimal, Money};
pub use part::{Part, Quantity, Sum};
pub use prices::{Price, Prices};
pub use usage::Usage;
