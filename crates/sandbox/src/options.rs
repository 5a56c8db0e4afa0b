//! What can be set on the embedded AWS: the account, the time, and how unkindly it behaves.

use std::sync::Arc;
use std::time::Duration;

use terrane_iam::Document;

use crate::clock::Clock;

/// Settings of one opened sandbox. None of them is stored: two commands may open the same folder with different ones.
#[derive(Clone, Debug)]
pub struct Options {
    /// The twelve digits of the account. It is fixed when the folder is made; another one is refused later.
    pub account: String,
    /// The time that all answers carry and all deadlines are measured by.
    pub clock: Clock,
    /// How long each call takes at least.
    pub latency: Duration,
    /// Which calls go wrong.
    pub faults: Faults,
    /// How long tables and indexes stay in CREATING, UPDATING and DELETING.
    pub table_settling: Duration,
    /// How long a new user, role or access key stays unknown to the other services.
    pub consistency_delay: Duration,
    /// Whether the access key id `test`, which local endpoints are usually called with, stands for the administrator.
    pub test_credentials: bool,
    /// Whether everything lives in memory only and the folder is not touched.
    pub in_memory: bool,
    /// What the organization of the account lets it do.
    pub organization: Organization,
}

/// The policies of an organization that bind the account; none bind it unless said.
#[derive(Clone, Debug, Default)]
pub struct Organization {
    /// The id, as `aws:PrincipalOrgID` and `aws:ResourceOrgID` have it. Without it requests do not have them.
    pub id: Option<String>,
    /// Service control policies with their names, a list for each level from the organization's root to the account.
    pub service_control: Vec<Vec<(String, Arc<Document>)>>,
    /// Resource control policies of all levels, with their names.
    pub resource_control: Vec<(String, Arc<Document>)>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            account: "123456789012".to_owned(),
            clock: Clock::system(),
            latency: Duration::ZERO,
            faults: Faults::default(),
            table_settling: Duration::ZERO,
            consistency_delay: Duration::ZERO,
            test_credentials: false,
            in_memory: false,
            organization: Organization::default(),
        }
    }
}

/// Fractions (0 to 1) of calls that go wrong, drawn from a seeded sequence: same seed, same calls, same faults.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Faults {
    /// Where the sequence starts.
    pub seed: u64,
    /// Calls answered with the service's throttling error before anything is done.
    pub throttled: f64,
    /// Calls answered with a 500 before anything is done.
    pub failed: f64,
    /// Calls that are carried out but whose answer never arrives: the connection breaks.
    pub lost: f64,
}
