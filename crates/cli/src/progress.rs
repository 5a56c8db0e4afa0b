//! Shows what goes on in a run: lines, a moving line on a terminal, or JSON lines for tools.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use terrane_model::{Action, Address};
use terrane_reconcile::{Event, Events};

use crate::render::{events, stream};
use crate::terminal::Terminal;

/// How many addresses the moving line names.
const NAMED: usize = 2;

/// Receives the events of a run.
pub struct Progress {
    terminal: Terminal,
    manner: Manner,
    seen: Mutex<Seen>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// Nothing is shown, since what comes in the end is one document.
    Silent,
    Lines,
    JsonLines,
}

#[derive(Default)]
struct Seen {
    /// The moving line, while something is carried out and somebody watches.
    bar: Option<ProgressBar>,
    under_way: BTreeMap<Address, Action>,
    done: usize,
    total: usize,
}

impl Progress {
    /// Lines of text; with `--json`, lines of JSON.
    pub fn telling(terminal: &Terminal) -> Progress {
        Progress::new(terminal, if terminal.json { Manner::JsonLines } else { Manner::Lines })
    }

    /// Lines of text; with `--json`, nothing.
    pub fn discreet(terminal: &Terminal) -> Progress {
        Progress::new(terminal, if terminal.json { Manner::Silent } else { Manner::Lines })
    }

    /// Nothing at all: what comes in the end is one document.
    pub fn silent(terminal: &Terminal) -> Progress {
        Progress::new(terminal, Manner::Silent)
    }

    fn new(terminal: &Terminal, manner: Manner) -> Progress {
        Progress { terminal: terminal.clone(), manner, seen: Mutex::default() }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something is carried out from now on, in so many actions.
    pub fn begin(&self, total: usize) {
        let mut bar = None;
        if self.terminal.is_watched && self.manner == Manner::Lines && total > 0 {
            let line = ProgressBar::with_draw_target(None, ProgressDrawTarget::stdout_with_hz(10));
            if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
                line.set_style(style);
            }
            line.enable_steady_tick(Duration::from_millis(120));
            bar = Some(line);
        }
        *self.seen() = Seen { bar, total, ..Seen::default() };
    }

    /// Takes the moving line away.
    pub fn end(&self) {
        if let Some(bar) = self.seen().bar.take() {
            bar.finish_and_clear();
        }
    }

    fn line(&self, line: &str, event: &Event<'_>) {
        let text = format!("{line}\n");
        let mut seen = self.seen();
        match seen.bar.clone() {
            None => self.terminal.say(&text),
            Some(bar) => {
                // Such lines would only repeat what the moving line says.
                if !matches!(event, Event::Still { .. }) {
                    bar.suspend(|| self.terminal.say(&text));
                }
                seen.note(event);
                bar.set_message(seen.line());
            }
        }
    }
}

impl Seen {
    fn note(&mut self, event: &Event<'_>) {
        match event {
            Event::Started { address, action, .. } => {
                self.under_way.insert((*address).clone(), *action);
            }
            Event::Done { address, .. } | Event::Failed { address, .. } => {
                self.under_way.remove(*address);
                self.done += 1;
            }
            _ => {}
        }
    }

    fn line(&self) -> String {
        let named = self.under_way.iter().take(NAMED);
        let mut parts: Vec<String> = named
            .map(|(address, action)| format!("{} {address}", events::doing(*action).to_lowercase()))
            .collect();
        if self.under_way.len() > NAMED {
            parts.push(format!("{} more", self.under_way.len() - NAMED));
        }
        let under_way = if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
        format!("{} of {} done{under_way}", self.done, self.total)
    }
}

impl Events for Progress {
    fn event(&self, event: &Event<'_>) {
        match self.manner {
            Manner::Silent => {}
            Manner::JsonLines => {
                if let Some((kind, body)) = events::json(event) {
                    let text = events::line(event).unwrap_or_default();
                    self.terminal.say(&stream::line("info", &text, kind, body));
                }
            }
            Manner::Lines => {
                if let Some(line) = events::line(event) {
                    self.line(&line, event);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_moving_line_names_two_and_counts_the_others() {
        let addresses: Vec<Address> = ["a.a", "a.b", "a.c"].map(|a| a.parse().unwrap()).into();
        let mut seen = Seen { total: 3, ..Seen::default() };
        for address in &addresses {
            seen.note(&Event::Started { address, action: Action::Create, id: None });
        }
        assert_eq!(seen.line(), "0 of 3 done: creating a.a, creating a.b, 1 more");
        for address in &addresses {
            let elapsed = Duration::ZERO;
            seen.note(&Event::Done { address, action: Action::Create, id: None, elapsed, note: None });
        }
        assert_eq!(seen.line(), "3 of 3 done");
    }
}
