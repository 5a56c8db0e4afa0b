//! Brings AWS to what a plan says, and tells on the way.
//!
//! In the order of the flow: [`events`] (what is told), [`stop`] (how a run is interrupted), [`sessions`] (the
//! configured providers), [`mod@observe`] (what is there now), [`mod@apply`] (the walk of the plan's action graph),
//! [`mod@recover`] (after a run that died).
//!
//! INVARIANT: no choice is made here; all are in the plan. No TOML, no AWS, no terminal.

pub mod events;

pub mod stop;

pub mod sessions;

pub mod observe;

pub mod apply;

pub mod recover;

mod marker;

pub use apply::ledger::Ledger;
pub use apply::{Report, Run, apply};
pub use events::{Event, Events};
pub use observe::{import, look, observe};
pub use recover::{Found, Recovery, recover, unfinished};
pub use sessions::Sessions;
pub use stop::Stop;
