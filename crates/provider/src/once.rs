//! Makes an object once, although the answer to the call may get lost.

use std::future::Future;
use std::time::Duration;

use tokio::time::sleep;

use crate::contract::Context;
use crate::error::{Error, ErrorKind};

const ATTEMPTS: u32 = 10;
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Calls a create that must not happen twice. `call` must not try again by itself; `look` finds what it may have made.
///
/// A throttled call has not happened and is made again. After a call of which nobody knows whether it happened (no
/// answer, or a failure of the service), `look` decides; and "exists already" then means the object that was made here.
///
/// # Errors
/// The error of the last call.
pub async fn create_once<T, C, CF, L, LF>(cx: &Context<'_>, mut call: C, mut look: L) -> Result<T, Error>
where
    C: FnMut() -> CF,
    CF: Future<Output = Result<T, Error>>,
    L: FnMut() -> LF,
    LF: Future<Output = Result<Option<T>, Error>>,
{
    let mut pause = FIRST_PAUSE;
    let mut uncertain = false;
    let mut attempt = 1;
    loop {
        let error = match call().await {
            Ok(made) => return Ok(made),
            Err(error) => error,
        };
        match error.kind {
            ErrorKind::Throttled => {}
            ErrorKind::Unavailable => uncertain = true,
            ErrorKind::Conflict if uncertain => return look().await?.ok_or(error),
            _ => return Err(error),
        }
        if attempt >= ATTEMPTS {
            return Err(error);
        }
        attempt += 1;
        if attempt == 5 {
            cx.progress.waiting_for(cx.address, "the service to take the request");
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
        if error.kind == ErrorKind::Unavailable
            && let Ok(Some(made)) = look().await
        {
            return Ok(made);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::VecDeque;
    use std::sync::Arc;

    use terrane_model::{Address, ResourceAddress};

    use super::*;
    use crate::{Facts, Progress, Session};

    struct Silent;

    impl Progress for Silent {
        fn waiting_for(&self, _: &Address, _: &str) {}
    }

    fn kind(kind: ErrorKind) -> Result<u32, Error> {
        Err(Error::new(kind, "test:Create", ""))
    }

    /// What comes of these answers, when `look` finds `found`; and how many calls were made.
    async fn run(answers: Vec<Result<u32, Error>>, found: Option<u32>) -> (Result<u32, ErrorKind>, usize) {
        let session = Session::new(Facts::default(), Arc::new(()));
        let address = ResourceAddress::managed("test_object", "x").instance(None);
        let cx = Context::looking(&session, &address, Duration::ZERO, &Silent);
        let total = answers.len();
        let answers = RefCell::new(VecDeque::from(answers));
        let call = || async { answers.borrow_mut().pop_front().unwrap_or(Ok(0)) };
        let result = create_once(&cx, call, || async { Ok(found) }).await;
        (result.map_err(|error| error.kind), total - answers.borrow().len())
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_not_done_is_done_again() {
        let (result, calls) =
            run(vec![kind(ErrorKind::Throttled), kind(ErrorKind::Unavailable), Ok(7)], None).await;
        assert_eq!((result, calls), (Ok(7), 3));
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_lost_answer_hides_is_taken_over() {
        assert_eq!(run(vec![kind(ErrorKind::Unavailable), Ok(7)], Some(3)).await, (Ok(3), 1));
    }

    #[tokio::test(start_paused = true)]
    async fn an_object_that_was_there_before_is_not_taken_over() {
        let (result, calls) = run(vec![kind(ErrorKind::Throttled), kind(ErrorKind::Conflict)], Some(3)).await;
        assert_eq!((result, calls), (Err(ErrorKind::Conflict), 2));
    }

    #[tokio::test(start_paused = true)]
    async fn other_errors_end_it_at_once_and_outages_after_a_while() {
        assert_eq!(run(vec![kind(ErrorKind::Quota), Ok(1)], None).await, (Err(ErrorKind::Quota), 1));
        let outage = (0..20).map(|_| kind(ErrorKind::Unavailable)).collect();
        assert_eq!(run(outage, None).await, (Err(ErrorKind::Unavailable), 10));
    }
}
