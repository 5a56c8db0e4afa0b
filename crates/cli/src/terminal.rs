//! Where text goes: the only place that prints, asks, and knows whether somebody is looking.

use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;

use terrane_model::{Diagnostic, Sources};

use crate::arguments::truth;
use crate::render::annotations::{self, Workspace};
use crate::render::diagnostics::{self, Manner};
use crate::render::paint::Paint;

/// The standard streams, and how to write to them.
#[derive(Clone, Debug)]
pub struct Terminal {
    /// Colours of what goes to standard output.
    pub paint: Paint,
    error_paint: Paint,
    /// Whether somebody sees standard output as it comes.
    pub is_watched: bool,
    /// Whether somebody can be asked.
    pub can_ask: bool,
    /// Whether output is for tools.
    pub json: bool,
    /// Whether warnings are told in short.
    pub compact_warnings: bool,
    /// What `--chdir` was given, for names of files in messages.
    pub folder: String,
    /// The checked-out repository when GitHub Actions reads along: then messages are annotations, too.
    repository: Option<PathBuf>,
}

impl Terminal {
    /// Looks at the streams and the environment.
    pub fn new(no_color: bool, json: bool, folder: String) -> Terminal {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let colours = !no_color && !set("NO_COLOR") && !dumb;
        let (out, err) = (std::io::stdout().is_terminal(), std::io::stderr().is_terminal());
        Terminal {
            paint: Paint::new(colours && out && !json),
            error_paint: Paint::new(colours && err),
            is_watched: out && !json && !dumb,
            can_ask: std::io::stdin().is_terminal() && err && !input_is_off(),
            json,
            compact_warnings: false,
            folder,
            repository: repository(),
        }
    }

    /// Where GitHub Actions has checked the repository out.
    pub fn repository(&self) -> Option<&std::path::Path> {
        self.repository.as_deref()
    }

    /// Writes to standard output. That nobody reads it any more is no reason to stop what is under way.
    pub fn say(&self, text: &str) {
        let mut out = std::io::stdout().lock();
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }

    /// Writes to standard error.
    pub fn tell(&self, text: &str) {
        let mut out = std::io::stderr().lock();
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }

    /// Writes messages to standard error.
    pub fn report(&self, diagnostics: &[Diagnostic], sources: &Sources) {
        let manner = Manner { paint: self.error_paint, folder: &self.folder };
        let text = match self.compact_warnings {
            true => diagnostics::compact_warnings(diagnostics, sources, manner),
            false => diagnostics::all(diagnostics, sources, manner),
        };
        let Some(repository) = &self.repository else { return self.tell(&text) };
        let stack = std::env::current_dir().and_then(|folder| folder.canonicalize()).unwrap_or_default();
        self.tell(&annotations::all(diagnostics, sources, &Workspace::new(repository, &stack)));
        self.tell(&match annotations::has_commands(&text) {
            true => annotations::silenced(&text, &uuid::Uuid::new_v4().to_string()),
            false => text,
        });
    }

    /// Asks on the terminal and waits for a line. Nothing when the input ended.
    ///
    /// Blocks the thread until somebody answers.
    pub fn ask(&self, question: &str) -> Option<String> {
        self.tell(question);
        let mut answer = String::new();
        match std::io::stdin().lock().read_line(&mut answer) {
            Ok(0) | Err(_) => None,
            Ok(_) => Some(answer.trim_end_matches(['\n', '\r']).to_owned()),
        }
    }
}

/// Whether the environment says that nobody is to be asked.
fn input_is_off() -> bool {
    std::env::var("TF_INPUT").is_ok_and(|value| !value.is_empty() && truth(&value) == Ok(false))
}

/// Where GitHub Actions has checked the repository out. Without that, names of files are as they are.
fn repository() -> Option<PathBuf> {
    if std::env::var_os("GITHUB_ACTIONS").is_none_or(|value| value != "true") {
        return None;
    }
    let workspace = PathBuf::from(std::env::var_os("GITHUB_WORKSPACE").unwrap_or_default());
    Some(workspace.canonicalize().unwrap_or(workspace))
}
