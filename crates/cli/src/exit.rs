//! How a command ends.

use terrane_model::{Diagnostic, Diagnostics, Sources};
use terrane_spec::Failure;
use terrane_state::StateError;

/// The exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done,
    /// Failed.
    Failed,
    /// Wrong usage.
    Usage,
    /// A plan with changes, where `--detailed-exitcode` asks.
    Changes,
    /// Interrupted.
    Interrupted,
}

/// Lets go of something that holds memory and nothing else, without giving it back piece by piece: the process is about to
/// end, and the operating system takes everything at once. With many thousands of resources that is a tenth of the time.
pub fn let_go<T>(value: T) {
    std::mem::forget(value);
}

impl Exit {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage | Exit::Changes => 2,
            Exit::Interrupted => 130,
        }
    }
}

/// Why a command could not be carried out: messages, and the files that they point into.
#[derive(Debug)]
pub struct Problem {
    /// What is wrong. Empty: all is said already.
    pub diagnostics: Diagnostics,
    /// The files.
    pub sources: Sources,
    /// How the command ends.
    pub exit: Exit,
}

impl Problem {
    /// Messages that point into files.
    pub fn new(diagnostics: Diagnostics, sources: &Sources) -> Problem {
        let interrupted = diagnostics.iter().any(|diagnostic| diagnostic.code == "interrupted");
        let exit = if interrupted { Exit::Interrupted } else { Exit::Failed };
        Problem { diagnostics, sources: sources.clone(), exit }
    }

    /// Wrong usage that clap can't find.
    pub fn usage(diagnostic: Diagnostic) -> Problem {
        Problem { exit: Exit::Usage, ..Problem::from(diagnostic) }
    }

    /// Interrupted; the messages are out already.
    pub fn interrupted() -> Problem {
        Problem { diagnostics: vec![], sources: Sources::default(), exit: Exit::Interrupted }
    }
}

impl From<Diagnostic> for Problem {
    fn from(diagnostic: Diagnostic) -> Problem {
        Problem::new(vec![diagnostic], &Sources::default())
    }
}

impl From<StateError> for Problem {
    fn from(error: StateError) -> Problem {
        error.diagnostic().into()
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Problem {
        Problem::new(failure.diagnostics, &failure.sources)
    }
}

/// What a command answers.
pub type Ended = Result<Exit, Problem>;
