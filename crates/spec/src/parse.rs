//! From the texts of the files to a module whose shape is understood.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use terrane_model::{Diagnostic, Diagnostics, Sources, Span};

use crate::decode::Decoder;
use crate::module::Module;
use crate::modules::{self, Body, Called, Modules, ROOT};
use crate::toml;

/// All files of a spec together may have so many bytes (32 MiB).
pub const MOST_BYTES: usize = 32 << 20;

/// A spec whose tables are decoded. What was wrong with it is kept, so that [`check`](crate::check::check) reports it
/// together with what it finds itself.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// The files, for messages that point into them.
    pub sources: Sources,
    pub(crate) root: Body,
    /// The modules that are called; absent: they were not looked for.
    pub(crate) called: Option<Called>,
    pub(crate) found: Diagnostics,
}

/// A spec that can't be worked with, and the files that the messages point into.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the spec is not valid")]
pub struct Failure {
    /// The files.
    pub sources: Sources,
    /// Everything that was found, warnings among it, in the order of the files.
    pub diagnostics: Diagnostics,
}

impl Parsed {
    /// What was wrong so far.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.found
    }

    /// The root module as far as it was understood.
    pub fn module(&self) -> &Module {
        &self.root.module
    }

    /// Reads the modules that the spec calls, and those that these call. Their files come behind those of the spec.
    ///
    /// It never fails, as [`parse`].
    #[must_use]
    pub fn with_modules(mut self, modules: &mut dyn Modules) -> Parsed {
        let Parsed { sources, root, found, .. } = &mut self;
        self.called = Some(modules::read(&root.module, modules, sources, found));
        self
    }

    /// SHA-256 over the names and texts of all files, each with its length before it, in hexadecimal.
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        let mut part = |text: &str| {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text.as_bytes());
        };
        for (_, file) in self.sources.iter() {
            part(&file.name);
            part(&file.text);
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Whether a file of this name is hidden, or one that an editor keeps for itself.
pub fn is_hidden(name: &str) -> bool {
    name.starts_with('.') || name.ends_with('~') || name.starts_with('#')
}

/// Whether a file of this name belongs to a spec: `terrane.toml` or `*.terrane.toml`.
pub fn is_spec_file(name: &str) -> bool {
    !is_hidden(name) && (name == "terrane.toml" || name.ends_with(".terrane.toml"))
}

/// Reads the files of the root module, each with its name as the user would write it. Their order does not matter. What it
/// calls is read by [`Parsed::with_modules`].
///
/// It never fails: what can be understood is understood, so that as much as possible is reported in one run.
pub fn parse(mut files: Vec<(String, Vec<u8>)>) -> Parsed {
    files.sort();
    let mut found = Diagnostics::new();
    let mut torn = false;
    if files.is_empty() {
        let detail = "There is no `terrane.toml` and no file that ends with `.terrane.toml` here.";
        found.push(
            Diagnostic::error("no-spec", "No spec", detail)
                .hint("Go to the folder of the stack, or name it with `--chdir`."),
        );
        torn = true;
    }
    let bytes: usize = files.iter().map(|(_, text)| text.len()).sum();
    if bytes > MOST_BYTES {
        let largest = files.iter().max_by_key(|(_, text)| text.len()).map_or("", |(name, _)| name);
        let detail = format!(
            "The files of the spec have {} MiB together, and {} MiB are allowed. The largest is `{largest}`.",
            bytes >> 20,
            MOST_BYTES >> 20
        );
        found.push(
            Diagnostic::error("spec-too-large", "Spec too large", detail)
                .hint("Generate repeated resources with `for_each`, or split the stack."),
        );
        files.clear();
        torn = true;
    }
    let mut sources = Sources::default();
    let mut root = decode(files, &mut sources, &mut found);
    root.torn |= torn;
    root.module.folder = ROOT.into();
    Parsed { sources, root, called: None, found }
}

/// Decodes the files of one module.
pub(crate) fn decode(files: Vec<(String, Vec<u8>)>, sources: &mut Sources, found: &mut Diagnostics) -> Body {
    let mut decoder = Decoder::default();
    let mut torn = false;
    for (name, bytes) in files {
        let (text, broken) = text(bytes);
        let file = sources.add(name, Arc::clone(&text));
        if let Some(offset) = broken {
            torn = true;
            decoder.found.push(not_utf8(offset).at(Span::new(file, offset, offset + 1)));
            continue;
        }
        let (tree, errors) = toml::read(file, &text);
        torn |= !errors.is_empty();
        decoder.found.extend(errors);
        decoder.file(&tree);
    }
    found.extend(decoder.found);
    Body { module: decoder.module, arguments: decoder.arguments, torn }
}

/// The text of a file, and where it stops to be UTF-8.
pub(crate) fn text(bytes: Vec<u8>) -> (Arc<str>, Option<usize>) {
    match String::from_utf8(bytes) {
        Ok(text) => (text.into(), None),
        Err(error) => {
            let offset = error.utf8_error().valid_up_to();
            (String::from_utf8_lossy(error.as_bytes()).into(), Some(offset))
        }
    }
}

pub(crate) fn not_utf8(offset: usize) -> Diagnostic {
    let detail =
        format!("The file is not UTF-8: the byte at offset {offset} begins no character. Save it as UTF-8.");
    Diagnostic::error("not-utf-8", "File not in UTF-8", detail)
}
