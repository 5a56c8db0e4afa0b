//! Who can do what in a stack, before anything is changed.
//!
//! In the order of the flow: [`estate`] (principals, policies, keys and tables, read from the values of a stack),
//! [`organization`] (what limits a whole account), [`question`] (may this principal do this to that, and why), [`claim`] (what
//! `[access.N]` asserts), [`mod@reach`] (everything that somebody can do), [`mod@difference`] (who gains and who loses what),
//! [`trial`] (whether what really happened is what was asserted and proved).
//!
//! Decisions themselves are made by `terrane-iam`; here is only found which policies bear on them. Pure: values go in,
//! answers come out. A value that is not known makes an answer `DEPENDS` where it hangs on it.

pub mod actions;
pub mod claim;
pub mod difference;
pub mod estate;
pub mod lockout;
pub mod organization;
pub mod question;
pub mod reach;
pub mod trial;

mod glob;
mod read;

pub use claim::{Claim, Judgement, Verdict};
pub use difference::{Change, Level, difference};
pub use estate::{Estate, Item};
pub use glob::matches as glob_matches;
pub use organization::{Limits, Organization};
pub use question::{Answered, Question};
pub use reach::{Matrix, Right, matrix, reach};
pub use read::first_key_policy;
pub use trial::{Real, Refusal};
