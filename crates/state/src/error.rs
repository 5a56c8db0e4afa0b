//! What can be wrong with a state: each case with what it says, and what the user can do about it.

use std::io;
use std::path::PathBuf;

use terrane_model::{Address, Diagnostic};

use crate::backend::Version;
use crate::lock::LockInfo;

/// A text that is no state, or a snapshot that has no text.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// Nothing at all: an empty file.
    #[error("It is empty")]
    Empty,
    /// Not JSON.
    #[error("It is not JSON: {detail}")]
    NotJson {
        /// What is wrong with the text, and on which line.
        detail: String,
    },
    /// Written by OpenTofu with state encryption.
    #[error("It is encrypted")]
    Encrypted,
    /// Written by this program with `[terrane.encryption]`.
    #[error("It is encrypted by Terrane, and the spec has no `[terrane.encryption]`")]
    Sealed,
    /// A format before version 4.
    #[error("It has format version {found}, which is older than version 4")]
    OldFormat {
        /// What the file says.
        found: u64,
    },
    /// A format that came after this program.
    #[error("It has {what} {found}, and this version of Terrane knows no newer one than {known}")]
    NewFormat {
        /// Which version it is about.
        what: &'static str,
        /// What the file says.
        found: u64,
        /// The newest that is known.
        known: u64,
    },
    /// JSON of another shape.
    #[error("At `{pointer}`, {detail}")]
    Shape {
        /// A JSON pointer.
        pointer: String,
        /// What is there and what should be, as a clause. Never quotes what is there.
        detail: String,
    },
    /// A snapshot that has no form on disk, for want of a value.
    #[error("There is no value that can be stored for {what}")]
    NotStorable {
        /// Which part of the snapshot.
        what: String,
    },
}

/// What went wrong with a state, its lock or its journal.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The state, or what is to become it, is not well-formed.
    #[error("{source}")]
    Format {
        /// Where the state is kept.
        place: String,
        /// What is wrong with it.
        source: FormatError,
    },
    /// A file could not be read or written.
    #[error("Terrane could not {action} `{}`", path.display())]
    Io {
        /// A verb.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Somebody else is at work on the state.
    #[error("The state `{place}` is locked by another process")]
    Locked {
        /// Where the state is kept.
        place: String,
        /// Who holds it, as far as that is known.
        holder: Option<Box<LockInfo>>,
        /// Whether the holder seems to be at work, as a sentence, where that can be told.
        sign: Option<String>,
    },
    /// A lock to be broken that is not there, has another id, or has a living holder.
    #[error("The lock of `{place}` was not taken away: {why}")]
    NotUnlocked {
        /// Where the state is kept.
        place: String,
        /// A clause.
        why: String,
    },
    /// The state is not the one that this work began with.
    #[error("The state `{place}` is not the one that this run began with")]
    Moved {
        /// Where the state is kept.
        place: String,
        /// What should be there; nothing when there should be none.
        expected: Option<Version>,
        /// What is there.
        found: Option<Version>,
    },
    /// A journal that is damaged or belongs to something else.
    #[error("The journal `{place}` cannot be used: {why}")]
    Journal {
        /// Where the journal is.
        place: String,
        /// A clause.
        why: String,
    },
    /// The state went on without the results that the journal holds.
    #[error("The state `{place}` went on without what the journal `{journal}` holds")]
    Diverged {
        /// Where the state is kept.
        place: String,
        /// Where the journal is.
        journal: String,
        /// The instances of which state and journal disagree.
        addresses: Vec<Address>,
    },
    /// A workspace with an impossible name, or one that cannot be deleted.
    #[error("The workspace `{name}` {why}")]
    Workspace {
        /// The name that was given.
        name: String,
        /// A clause.
        why: &'static str,
    },
    /// What another kind of backend has to say.
    #[error("{}", .0.detail)]
    Backend(Box<Diagnostic>),
}

impl StateError {
    /// The error as a message for the user.
    pub fn diagnostic(&self) -> Diagnostic {
        match self {
            StateError::Format { place, source } => {
                let detail = format!("The state `{place}` cannot be used. {source}.");
                source
                    .hints(place)
                    .into_iter()
                    .fold(Diagnostic::error("state-format", "Unusable state", detail), Diagnostic::hint)
            }
            StateError::Io { source, .. } => {
                let error =
                    Diagnostic::error("state-io", "State not accessible", format!("{self}: {source}."));
                match io_hint(source.kind()) {
                    Some(hint) => error.hint(hint),
                    None => error,
                }
            }
            StateError::Locked { holder, sign, .. } => {
                let who = holder.as_ref().map_or(String::new(), |info| format!("\n{info}"));
                let sign = sign.as_ref().map_or(String::new(), |sign| format!(" {sign}"));
                let error = Diagnostic::error("state-locked", "State locked", format!("{self}.{sign}{who}"))
                    .hint("Wait for the other process, or let `-lock-timeout=60s` do so.");
                match holder {
                    Some(info) => error.hint(format!(
                        "If nobody is at work any more, `terrane force-unlock {}` takes the lock away.",
                        info.id
                    )),
                    None => error,
                }
            }
            StateError::NotUnlocked { .. } => {
                Diagnostic::error("state-not-unlocked", "Lock left in place", format!("{self}."))
            }
            StateError::Moved { expected, found, .. } => {
                let name = |v: &Option<Version>| v.as_ref().map_or("no state".to_owned(), Version::to_string);
                let (expected, found) = (name(expected), name(found));
                let detail =
                    format!("{self}: {expected} should be there, and there is {found}. Nothing was written.");
                Diagnostic::error("state-moved", "State changed by somebody else", detail).hint(
                    "Make a new plan. What was done in this run is in the journal and is taken up then.",
                )
            }
            StateError::Journal { place, .. } => {
                let detail = format!("{self}. It holds what an interrupted run did.");
                Diagnostic::error("state-journal", "Unusable journal", detail).hint(format!(
                    "Look into `{place}`: each line names an address and what became of it. Import what is \
                     missing in the state, then move the journal away."
                ))
            }
            StateError::Diverged { journal, addresses, .. } => {
                let list: Vec<String> = addresses.iter().map(|a| format!("`{a}`")).collect();
                let detail = format!("{self}. Both changed {}.", list.join(", "));
                Diagnostic::error("state-diverged", "State and journal disagree", detail).hint(format!(
                    "See in `{journal}` which objects the interrupted run made, import those that the state lacks, \
                     then move the journal away."
                ))
            }
            StateError::Workspace { .. } => {
                Diagnostic::error("state-workspace", "Unusable workspace", format!("{self}."))
            }
            StateError::Backend(diagnostic) => diagnostic.as_ref().clone(),
        }
    }
}

fn io_hint(kind: io::ErrorKind) -> Option<&'static str> {
    match kind {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Some(
            "The disk is full. The state is as it was: make room and run the command again; what was done \
             already is in the journal.",
        ),
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => Some(
            "The folder must be writable for you: the state is replaced as a whole, never changed in place. \
             It is as it was.",
        ),
        _ => None,
    }
}

impl FormatError {
    /// The error as a message about a file that somebody wants taken over as a state, and that is none.
    pub fn of_file(&self, file: &str) -> Diagnostic {
        let detail =
            format!("The file `{file}` can't be taken over. {self}. The present state is as it was.");
        let error = Diagnostic::error("state-format", "Unusable state", detail);
        match self {
            FormatError::Empty | FormatError::NotJson { .. } | FormatError::Shape { .. } => error,
            _ => self.hints(file).into_iter().fold(error, Diagnostic::hint),
        }
    }

    fn hints(&self, place: &str) -> Vec<String> {
        match self {
            FormatError::Empty | FormatError::NotJson { .. } | FormatError::Shape { .. } => vec![
                format!("`{place}.backup`, where there is one, holds the state before the last run."),
                "To begin with an empty state, move the file away.".to_owned(),
            ],
            FormatError::Encrypted => {
                vec!["Decrypt it with OpenTofu: `tofu state pull` prints the plain state.".to_owned()]
            }
            FormatError::Sealed => vec![
                "Say in `[terrane.encryption]` how it opens. To keep it in the clear from now on, say so under \
                 `[terrane.encryption.fallback]`, with `allow_unencrypted = true`."
                    .to_owned(),
            ],
            FormatError::OldFormat { .. } => {
                vec!["Let a current Terraform rewrite it: `terraform apply -refresh-only`.".to_owned()]
            }
            FormatError::NewFormat { .. } => vec![
                "Use the version of the program that wrote it, or a newer one. It was left as it is."
                    .to_owned(),
            ],
            FormatError::NotStorable { .. } => {
                vec![
                    "This is a bug in Terrane. Please report it with the part of the spec that it names."
                        .to_owned(),
                ]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_says_that_nothing_is_lost() {
        let source = io::Error::from(io::ErrorKind::StorageFull);
        let error = StateError::Io { action: "write", path: "state/default.tfstate".into(), source };
        let diagnostic = error.diagnostic();
        assert!(diagnostic.detail.contains("write `state/default.tfstate`"), "{}", diagnostic.detail);
        assert!(diagnostic.hints.concat().contains("as it was"));
    }

    #[test]
    fn a_lock_names_its_holder_and_the_way_out() {
        let info = LockInfo { id: "1-2".into(), who: "ann@box".into(), ..LockInfo::default() };
        let error = StateError::Locked { place: "s".into(), holder: Some(Box::new(info)), sign: None };
        let diagnostic = error.diagnostic();
        assert!(diagnostic.detail.contains("ann@box"), "{}", diagnostic.detail);
        assert!(diagnostic.hints.iter().any(|hint| hint.contains("force-unlock 1-2")));
    }

    #[test]
    fn a_file_to_be_taken_over_has_no_backup_of_ours() {
        let diagnostic = FormatError::Empty.of_file("mine.json");
        assert!(diagnostic.detail.contains("`mine.json`"), "{}", diagnostic.detail);
        assert!(diagnostic.hints.is_empty(), "{:?}", diagnostic.hints);
        let newer = FormatError::NewFormat { what: "format version", found: 5, known: 4 };
        assert!(newer.of_file("f").hints.concat().contains("newer one"));
    }

    #[test]
    fn a_newer_format_is_left_alone() {
        let source = FormatError::NewFormat { what: "format version", found: 5, known: 4 };
        let diagnostic = StateError::Format { place: "s".into(), source }.diagnostic();
        assert!(diagnostic.detail.contains("format version 5"), "{}", diagnostic.detail);
        assert!(diagnostic.hints.concat().contains("left as it is"));
    }
}
