//! The modules that a spec calls: each folder is read once, and each call leads to one.
//!
//! How a source becomes a folder, and where the files come from, is up to the [`Modules`] that is given.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use terrane_model::{Diagnostic, Diagnostics, Sources, Span};

use crate::check::Arguments;
use crate::module::{Module, ModuleCall};
use crate::parse::{MOST_BYTES, decode};

/// Calls may lead so deep. Nobody nests modules like this; a folder that is linked into itself does.
pub const MOST_DEPTH: usize = 50;

/// A spec may have so many calls of modules, those inside of called modules counted as often as those are called.
pub const MOST_CALLS: usize = 10_000;

/// The root module's folder.
pub const ROOT: &str = ".";

/// Where the files of called modules come from.
pub trait Modules {
    /// The module of a source that is written in a module of the folder `from`.
    ///
    /// Guarantees wanted: the same arguments give the same folder, and the same folder the same files.
    ///
    /// # Errors
    /// Sentences that say why there is no such module.
    fn load(&mut self, source: &str, from: &str) -> Result<Loaded, String>;
}

/// The folder that a local source such as `../network` leads to from the folder `from`, both relative to the stack's.
/// Nothing when the source is not a local one.
pub fn local_folder(source: &str, from: &str) -> Option<String> {
    let is_local = matches!(source, "." | "..") || source.starts_with("./") || source.starts_with("../");
    if !is_local {
        return None;
    }
    let mut steps: Vec<&str> = Vec::new();
    for step in from.split('/').chain(source.split('/')) {
        match step {
            "" | "." => {}
            ".." if steps.last().is_some_and(|last| *last != "..") => {
                steps.pop();
            }
            step => steps.push(step),
        }
    }
    Some(if steps.is_empty() { ROOT.to_owned() } else { steps.join("/") })
}

/// A module's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// The folder, relative to the stack's: what `path.module` gives.
    pub folder: String,
    /// Names in the folder, and bytes.
    pub files: Vec<(String, Vec<u8>)>,
}

/// Modules by the names of the calls that lead to them.
type ByNames = BTreeMap<Arc<[Arc<str>]>, Module>;

/// A module as far as it was understood.
#[derive(Clone, Debug)]
pub(crate) struct Body {
    pub(crate) module: Module,
    pub(crate) arguments: Arguments,
    /// Parts of the files could not be read at all, so that nothing can be said about what is absent.
    pub(crate) torn: bool,
}

/// The called modules of a spec.
#[derive(Clone, Debug, Default)]
pub(crate) struct Called {
    /// By folder.
    pub(crate) bodies: BTreeMap<Arc<str>, Body>,
    /// The folder that a call leads to, by the folder that it stands in and its name.
    pub(crate) calls: BTreeMap<(Arc<str>, Arc<str>), Arc<str>>,
    /// The folders, each after those that it calls.
    pub(crate) order: Vec<Arc<str>>,
}

/// One step of the way to a module.
struct Link {
    folder: Arc<str>,
    name: Arc<str>,
    span: Span,
}

/// Reads everything that a root module calls.
pub(crate) fn read(
    root: &Module,
    modules: &mut dyn Modules,
    sources: &mut Sources,
    found: &mut Diagnostics,
) -> Called {
    let bytes = sources.iter().map(|(_, file)| file.text.len()).sum();
    let mut reading = Reading { modules, sources, found, called: Called::default(), bytes };
    let calls: Vec<ModuleCall> = root.modules.values().cloned().collect();
    reading.visit(&ROOT.into(), &calls, &mut Vec::new());
    reading.called
}

struct Reading<'r> {
    modules: &'r mut dyn Modules,
    sources: &'r mut Sources,
    found: &'r mut Diagnostics,
    called: Called,
    bytes: usize,
}

impl Reading<'_> {
    /// Follows the calls of one folder. As deep as [`MOST_DEPTH`].
    fn visit(&mut self, folder: &Arc<str>, calls: &[ModuleCall], way: &mut Vec<Link>) {
        for call in calls.iter().filter(|call| !call.source.0.is_empty()) {
            let (source, span) = &call.source;
            let loaded = match self.modules.load(source, folder) {
                Ok(loaded) => loaded,
                Err(why) => {
                    self.refuse("module-not-found", "Module not found", why, *span);
                    continue;
                }
            };
            if let Some((_, span)) = &call.version {
                let detail = "Only modules of a registry have versions. Take `version` out.".to_owned();
                self.refuse("not-supported", "Argument not supported", detail, *span);
            }
            let target: Arc<str> = loaded.folder.as_str().into();
            way.push(Link { folder: folder.clone(), name: call.name.clone(), span: call.span });
            if let Some(begin) = way.iter().position(|link| link.folder == target) {
                self.recursion(way.get(begin..).unwrap_or_default());
            } else if way.len() > MOST_DEPTH {
                let detail = format!("The calls of modules lead more than {MOST_DEPTH} modules deep.");
                self.refuse("modules-too-deep", "Modules too deep", detail, call.span);
            } else {
                self.called.calls.insert((folder.clone(), call.name.clone()), target.clone());
                if !self.called.bodies.contains_key(&target) {
                    self.enter(&target, loaded, *span, way);
                }
            }
            way.pop();
        }
    }

    /// Decodes a module that was not met before, and follows its calls.
    fn enter(&mut self, folder: &Arc<str>, loaded: Loaded, span: Span, way: &mut Vec<Link>) {
        self.bytes += loaded.files.iter().map(|(_, text)| text.len()).sum::<usize>();
        let mut torn = true;
        let mut files = loaded.files;
        if files.is_empty() {
            let detail = format!(
                "There is no `terrane.toml` and no file that ends with `.terrane.toml` in `{folder}`."
            );
            self.refuse("no-module", "No module", detail, span);
        } else if self.bytes > MOST_BYTES {
            let most = MOST_BYTES >> 20;
            let detail = format!("The files of the spec and its modules have more than {most} MiB together.");
            self.refuse("spec-too-large", "Spec too large", detail, span);
            files.clear();
        } else {
            torn = false;
        }
        files.sort();
        let files = files.into_iter().map(|(name, text)| (format!("{folder}/{name}"), text)).collect();
        let mut body = decode(files, self.sources, self.found);
        body.torn |= torn;
        body.module.folder = folder.clone();
        let calls: Vec<ModuleCall> = body.module.modules.values().cloned().collect();
        self.called.bodies.insert(folder.clone(), body);
        self.visit(folder, &calls, way);
        self.called.order.push(folder.clone());
    }

    fn recursion(&mut self, way: &[Link]) {
        let Some((last, before)) = way.split_last() else { return };
        let detail = match before.first() {
            None => format!(
                "`module.{}` calls the module that it stands in, in `{}`, so there would be no end of modules.",
                last.name, last.folder
            ),
            Some(first) => {
                let steps = way.iter().map(|link| format!("`module.{}` in `{}`", link.name, link.folder));
                let steps: Vec<String> = steps.collect();
                format!(
                    "These calls lead back to `{}`, so there would be no end of modules: {}.",
                    first.folder,
                    steps.join(" calls ")
                )
            }
        };
        let mut error = Diagnostic::error("recursive-modules", "Recursive modules", detail).at(last.span);
        for link in before {
            error = error.with_related(link.span, format!("`module.{}` is a part of the cycle", link.name));
        }
        self.found.push(error);
    }

    fn refuse(&mut self, code: &'static str, summary: &'static str, detail: String, span: Span) {
        self.found.push(Diagnostic::error(code, summary, detail).at(span));
    }
}

impl Called {
    /// The folder that a call leads to.
    pub(crate) fn target(&self, folder: &Arc<str>, call: &Arc<str>) -> Option<&Arc<str>> {
        self.calls.get(&(folder.clone(), call.clone()))
    }

    /// The modules by the names of the calls that lead to them.
    ///
    /// # Errors
    /// When there are more than [`MOST_CALLS`].
    pub(crate) fn by_names(&self, root: &Module) -> Result<ByNames, Box<Diagnostic>> {
        let mut found = BTreeMap::new();
        let mut open: VecDeque<(Vec<Arc<str>>, Arc<str>)> = VecDeque::from([(vec![], ROOT.into())]);
        while let Some((names, folder)) = open.pop_front() {
            let module = self.bodies.get(&folder).filter(|_| !names.is_empty()).map(|body| &body.module);
            let calls: BTreeSet<&Arc<str>> = module.unwrap_or(root).modules.keys().collect();
            for call in calls {
                let Some(target) = self.target(&folder, call) else { continue };
                let names: Vec<Arc<str>> = names.iter().chain([call]).cloned().collect();
                open.push_back((names, target.clone()));
            }
            if open.len() + found.len() > MOST_CALLS {
                let detail = format!(
                    "The spec calls modules more than {MOST_CALLS} times, calls inside of called modules included."
                );
                return Err(Box::new(Diagnostic::error("too-many-modules", "Too many modules", detail)));
            }
            if let Some(module) = module {
                let path: Arc<[Arc<str>]> = names.into();
                found.insert(path.clone(), Module { path, ..module.clone() });
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::local_folder;

    #[test]
    fn local_sources_lead_from_folder_to_folder() {
        for (source, from, folder) in [
            ("./a", ".", Some("a")),
            ("../a", "m/b", Some("m/a")),
            ("../..", "m/b", Some(".")),
            ("../a", ".", Some("../a")),
            ("../a", "../b", Some("../a")),
            ("./a//b/./c/", "m", Some("m/a/b/c")),
            (".", ".", Some(".")),
            ("a", ".", None),
            ("git::https://x/y", ".", None),
            ("/a", ".", None),
            ("", ".", None),
        ] {
            assert_eq!(local_folder(source, from).as_deref(), folder, "{source} from {from}");
        }
    }
}
