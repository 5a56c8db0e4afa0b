//! Messages as GitHub Actions takes them from a step's output: on the lines of the spec, in the pull request.

use std::path::{Path, PathBuf};

use terrane_model::{Diagnostic, Sources};

/// Where files are, as the runner names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workspace {
    /// What leads from the repository to the stack; empty when the stack is the repository.
    pub folder: PathBuf,
}

impl Workspace {
    /// A stack's folder in a checked-out repository. A folder outside of it is named whole.
    pub fn new(repository: &Path, stack: &Path) -> Workspace {
        Workspace { folder: stack.strip_prefix(repository).unwrap_or(stack).to_owned() }
    }
}

/// One line for each message.
pub fn all(diagnostics: &[Diagnostic], sources: &Sources, workspace: &Workspace) -> String {
    diagnostics.iter().map(|diagnostic| one(diagnostic, sources, workspace)).collect()
}

fn one(diagnostic: &Diagnostic, sources: &Sources, workspace: &Workspace) -> String {
    let level = if diagnostic.is_error() { "error" } else { "warning" };
    let mut properties = Vec::new();
    if let Some((file, span)) = diagnostic.span.and_then(|span| Some((sources.get(span.file)?, span)))
        && let (Some(start), Some(end)) =
            (sources.position(span.file, span.start), sources.position(span.file, span.end))
        && file.name.ends_with(".toml")
    {
        let path = workspace.folder.join(file.name.as_ref());
        properties.push(("file", path.display().to_string()));
        properties.push(("line", start.line.to_string()));
        properties.push(("endLine", end.line.to_string()));
        // Columns are taken only where they are on one line.
        if start.line == end.line {
            properties.push(("col", start.column.to_string()));
            properties.push(("endColumn", end.column.to_string()));
        }
    }
    properties.push(("title", diagnostic.summary.to_owned()));
    let properties: Vec<String> =
        properties.into_iter().map(|(name, value)| format!("{name}={}", property(&value))).collect();
    let hints = diagnostic.hints.iter().map(String::as_str);
    let text: Vec<&str> = std::iter::once(diagnostic.detail.as_str()).chain(hints).collect();
    format!("::{level} {}::{}\n", properties.join(","), data(&text.join("\n")))
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Whether the runner would take a line of a text for a command. It looks behind blanks.
pub fn has_commands(text: &str) -> bool {
    text.lines().any(|line| {
        let line = line.trim_start();
        line.starts_with("::") || line.starts_with("##[")
    })
}

/// A text in which the runner looks for no commands. `token` must be a new one each time.
pub fn silenced(text: &str, token: &str) -> String {
    format!("::stop-commands::{token}\n{text}::{token}::\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use terrane_model::{FileId, Span};

    #[test]
    fn a_message_stands_on_its_line() {
        let mut sources = Sources::default();
        sources.add("terrane.toml", "[a]\nbäd = 1\n");
        let error = Diagnostic::error("unknown-argument", "Unknown argument", "Bad: 100 %,\nreally.")
            .at(Span::new(FileId(0), 4, 8))
            .hint("Good.");
        let workspace = Workspace::new(Path::new("/repo"), Path::new("/repo/stacks/a,b"));
        assert_eq!(
            all(&[error, Diagnostic::warning("w", "Odd", "It is.")], &sources, &workspace),
            "::error file=stacks/a%2Cb/terrane.toml,line=2,endLine=2,col=1,endColumn=4,title=Unknown argument::\
             Bad: 100 %25,%0Areally.%0AGood.\n::warning title=Odd::It is.\n"
        );
    }

    #[test]
    fn folders_outside_are_named_whole() {
        let outside = Workspace::new(Path::new("/repo"), Path::new("/elsewhere"));
        assert_eq!(outside.folder, Path::new("/elsewhere"));
        assert_eq!(Workspace::new(Path::new("/repo"), Path::new("/repo")).folder, Path::new(""));
    }

    #[test]
    fn commands_in_texts_are_found() {
        assert!(has_commands("a\n   ::set-output name=x::y\n") && has_commands("##[error]x"));
        assert!(!has_commands("a::b\n # x\n"));
        assert_eq!(silenced("x\n", "t"), "::stop-commands::t\nx\n::t::\n");
    }
}
