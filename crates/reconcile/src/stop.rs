//! How a run is interrupted: gently first, at once then.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::sync::Notify;

/// A handle that both the run and whoever interrupts it hold.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    asked: AtomicU8,
    changed: Notify,
}

impl Stop {
    /// Asks to stop. The first time: start nothing new. The second: drop what is under way.
    pub fn ask(&self) {
        let _ =
            self.inner.asked.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| Some(n.saturating_add(1)));
        self.inner.changed.notify_waiters();
    }

    /// Whether nothing new may begin.
    pub fn gently(&self) -> bool {
        self.inner.asked.load(Ordering::SeqCst) >= 1
    }

    /// Whether everything must end now.
    pub fn at_once(&self) -> bool {
        self.inner.asked.load(Ordering::SeqCst) >= 2
    }

    /// Waits until everything must end now.
    pub async fn asked_at_once(&self) {
        loop {
            let notified = self.inner.changed.notified();
            tokio::pin!(notified);
            notified.as_mut().enable();
            if self.at_once() {
                return;
            }
            notified.await;
        }
    }

    /// Waits until somebody asks (again).
    pub async fn asked(&self) {
        let before = self.inner.asked.load(Ordering::SeqCst);
        loop {
            let notified = self.inner.changed.notified();
            tokio::pin!(notified);
            notified.as_mut().enable();
            if self.inner.asked.load(Ordering::SeqCst) != before {
                return;
            }
            notified.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn first_gently_then_at_once() {
        let stop = Stop::default();
        let other = stop.clone();
        let waiter = tokio::spawn(async move { other.asked().await });
        tokio::task::yield_now().await;
        stop.ask();
        waiter.await.unwrap();
        assert!(stop.gently() && !stop.at_once());
        let other = stop.clone();
        let waiter = tokio::spawn(async move { other.asked_at_once().await });
        tokio::task::yield_now().await;
        assert!(!waiter.is_finished());
        stop.ask();
        assert!(stop.at_once());
        waiter.await.unwrap();
        stop.asked_at_once().await;
    }
}
