//! Shows what goes on in a run: lines, a moving line on a terminal, or JSON lines for tools.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

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
    bar: ProgressBar,
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
    under_way: BTreeMap<Address, (Action, Instant)>,
    done: usize,
    total: Option<usize>,
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

    fn new(terminal: &Terminal, manner: Manner) -> Progress {
        let bar = match terminal.is_watched && manner == Manner::Lines {
            true => ProgressBar::with_draw_target(None, ProgressDrawTarget::stdout_with_hz(10)),
            false => ProgressBar::hidden(),
        };
        if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
            bar.set_style(style);
        }
        Progress { terminal: terminal.clone(), manner, bar, seen: Mutex::default() }
    }

    /// From now on the moving line counts to this many.
    pub fn begin(&self, total: usize) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        *seen = Seen { total: Some(total), ..Seen::default() };
        self.bar.enable_steady_tick(Duration::from_millis(120));
    }

    /// Takes the moving line away.
    pub fn end(&self) {
        self.bar.finish_and_clear();
    }

    fn note(&self, event: &Event<'_>) {
        if self.bar.is_hidden() {
            return;
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Started { address, action, .. } => {
                seen.under_way.insert((*address).clone(), (*action, Instant::now()));
            }
            Event::Done { address, .. } | Event::Failed { address, .. } => {
                seen.under_way.remove(*address);
                seen.done += 1;
            }
            _ => return,
        }
        self.bar.set_message(seen.line());
    }
}

impl Seen {
    fn line(&self) -> String {
        let total = self.total.map(|total| format!(" of {total}")).unwrap_or_default();
        let named = self.under_way.iter().take(NAMED);
        let mut parts: Vec<String> = named
            .map(|(address, (action, _))| format!("{} {address}", events::doing(*action).to_lowercase()))
            .collect();
        if self.under_way.len() > NAMED {
            parts.push(format!("{} more", self.under_way.len() - NAMED));
        }
        format!("{}{total} done; {}", self.done, parts.join(", "))
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
                    self.bar.suspend(|| self.terminal.say(&format!("{line}\n")));
                }
                self.note(event);
            }
        }
    }
}
