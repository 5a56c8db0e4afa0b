//! Waiting and retrying, declared as data and carried out in one place.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::contract::Context;
use crate::error::{Error, ErrorKind};

/// Something to wait for.
#[derive(Clone, Copy, Debug)]
pub struct Wait<'a> {
    /// A noun phrase for the user: "the table to become active".
    pub what: &'a str,
    /// Pause after the first look; doubled each time up to `slowest`.
    pub first: Duration,
    /// The longest pause.
    pub slowest: Duration,
    /// How often in a row it must be seen.
    pub in_a_row: u32,
    /// After this long the wait fails.
    pub limit: Duration,
}

impl<'a> Wait<'a> {
    /// Looks at once, then after 50 ms, 100 ms ... up to 5 s, and is content with one sight.
    pub const fn new(what: &'a str, limit: Duration) -> Wait<'a> {
        Wait { what, first: Duration::from_millis(50), slowest: Duration::from_secs(5), in_a_row: 1, limit }
    }

    /// Must be seen this often in a row.
    #[must_use]
    pub const fn in_a_row(mut self, times: u32) -> Wait<'a> {
        self.in_a_row = times;
        self
    }

    /// Starts with this pause.
    #[must_use]
    pub const fn first(mut self, pause: Duration) -> Wait<'a> {
        self.first = pause;
        self
    }

    /// Looks until `look` gives something. `look` answers `Ok(Err(state))` while it is not there yet; the last state is
    /// named in the error.
    ///
    /// # Errors
    /// What `look` fails with, or [`ErrorKind::TimedOut`].
    pub async fn until<T, F, Fut>(self, cx: &Context<'_>, operation: &str, mut look: F) -> Result<T, Error>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<Result<T, String>, Error>>,
    {
        let start = Instant::now();
        let mut pause = self.first;
        let mut seen = 0;
        let mut told = false;
        loop {
            let state = match look().await? {
                Ok(value) => {
                    seen += 1;
                    if seen >= self.in_a_row {
                        return Ok(value);
                    }
                    String::new()
                }
                Err(state) => {
                    seen = 0;
                    state
                }
            };
            if start.elapsed() + pause > self.limit {
                let last =
                    if state.is_empty() { String::new() } else { format!(" The last answer was: {state}.") };
                return Err(Error::new(
                    ErrorKind::TimedOut,
                    operation,
                    format!("Waited {} s for {}.{last}", start.elapsed().as_secs(), self.what),
                )
                .hint("Run apply again: it goes on from here. The `timeouts` block of the resource gives more time."));
            }
            if !told && start.elapsed() >= Duration::from_secs(1) {
                cx.progress.waiting_for(cx.address, self.what);
                told = true;
            }
            sleep(pause).await;
            if seen == 0 {
                pause = (pause * 2).min(self.slowest);
            }
        }
    }
}

/// One row of a retry table: when an operation is tried again, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Retry {
    /// The operation in AWS's words, such as `kms:PutKeyPolicy`.
    pub operation: &'static str,
    /// The error code.
    pub code: &'static str,
    /// Text that the message must contain; empty: any.
    pub message: &'static str,
    /// Total time.
    pub limit: Duration,
    /// What is being waited for, a noun phrase.
    pub what: &'static str,
}

impl Retry {
    /// Whether this row covers the error.
    pub fn covers(&self, error: &Error) -> bool {
        error.operation == self.operation && error.is_code(self.code) && error.message.contains(self.message)
    }
}

/// Calls until it succeeds, fails with an error that no row of the table covers, or the row's time is up.
///
/// # Errors
/// The last error; where time ran out, with a sentence on what was waited for.
pub async fn retry<T, F, Fut>(cx: &Context<'_>, table: &[Retry], mut call: F) -> Result<T, Error>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T, Error>>,
{
    let start = Instant::now();
    let mut pause = Duration::from_millis(200);
    let mut told = false;
    loop {
        let error = match call().await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        let Some(row) = table.iter().find(|row| row.covers(&error)) else { return Err(error) };
        if start.elapsed() + pause > row.limit {
            let hint = format!("Waited {} s for {}.", start.elapsed().as_secs(), row.what);
            return Err(error.hint(hint));
        }
        if !told && start.elapsed() >= Duration::from_secs(1) {
            cx.progress.waiting_for(cx.address, row.what);
            told = true;
        }
        sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(10));
    }
}
