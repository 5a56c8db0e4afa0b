//! Where the files of called modules come from: folders of this machine, repositories through `git`, or a saved plan.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use terrane_spec::modules::local_folder;
use terrane_spec::{Loaded, Modules, is_spec_file};

use crate::git::{self, LOCK_FILE, Remote};

/// Where checkouts of repositories are.
pub const CACHE: &str = ".terrane/modules";

/// Modules in folders and repositories. What git sources resolved to is kept in the lock file.
pub struct Disk {
    lock: git::Lock,
}

impl Disk {
    /// Reads the lock file of the current folder.
    pub fn new() -> Disk {
        Disk { lock: git::Lock::read(Path::new(LOCK_FILE)) }
    }
}

impl Modules for Disk {
    fn load(&mut self, source: &str, from: &str) -> Result<Loaded, String> {
        let folder = match local_folder(source, from) {
            Some(folder) => inside(folder, from)?,
            None => {
                let (remote, below) = Remote::parse(source)?;
                let commit = self.lock.resolve(&remote)?;
                let checkout = git::checkout(&remote, &commit, Path::new(CACHE))?;
                if below.is_empty() { checkout } else { format!("{checkout}/{below}") }
            }
        };
        Ok(Loaded { files: files_of(Path::new(&folder))?, folder })
    }
}

/// Modules of a saved plan.
pub struct Saved<'f> {
    files: &'f [(String, Vec<u8>)],
    lock: git::Lock,
}

impl<'f> Saved<'f> {
    /// The modules among the files of a plan.
    pub fn new(files: &'f [(String, Vec<u8>)]) -> Saved<'f> {
        let lock = files.iter().find(|(name, _)| name == LOCK_FILE);
        Saved { files, lock: lock.map(|(_, text)| git::Lock::parse(text)).unwrap_or_default() }
    }
}

impl Modules for Saved<'_> {
    fn load(&mut self, source: &str, from: &str) -> Result<Loaded, String> {
        let folder = match local_folder(source, from) {
            Some(folder) => inside(folder, from)?,
            None => {
                let (remote, below) = Remote::parse(source)?;
                let commit = self.lock.known(&remote).ok_or("The plan does not hold this module.")?;
                let checkout = format!("{CACHE}/{commit}");
                if below.is_empty() { checkout } else { format!("{checkout}/{below}") }
            }
        };
        let inside = |(name, text): &(String, Vec<u8>)| {
            let (above, name) = name.rsplit_once('/')?;
            (above == folder).then(|| (name.to_owned(), text.clone()))
        };
        Ok(Loaded { files: self.files.iter().filter_map(inside).collect(), folder })
    }
}

/// Refuses a way out of a repository.
fn inside(folder: String, from: &str) -> Result<String, String> {
    let Some(rest) = from.strip_prefix(CACHE).and_then(|rest| rest.strip_prefix('/')) else {
        return Ok(folder);
    };
    let commit = rest.split('/').next().unwrap_or(rest);
    let checkout = format!("{CACHE}/{commit}");
    let good = folder == checkout || folder.starts_with(&format!("{checkout}/"));
    if good {
        Ok(folder)
    } else {
        Err("The source leads out of the repository that the module is in.".into())
    }
}

/// The spec's files in a folder.
fn files_of(folder: &Path) -> Result<Vec<(String, Vec<u8>)>, String> {
    let unreadable = |path: &Path, error: &std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => format!("There is no folder `{}`.", path.display()),
        std::io::ErrorKind::NotADirectory => format!("`{}` is no folder.", path.display()),
        _ => format!("`{}` can't be read: {error}.", path.display()),
    };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| unreadable(folder, &error))? {
        let path = entry.map_err(|error| unreadable(folder, &error))?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()).map(str::to_owned) else { continue };
        if is_spec_file(&name) && !path.is_dir() {
            files.push((name, fs::read(&path).map_err(|error| unreadable(&path, &error))?));
        }
    }
    files.sort();
    Ok(files)
}

/// The name of a file of `terrane.toml`'s kind and its text, as a plan holds them.
pub type File = (String, Vec<u8>);

/// The lock file as one of the files of a plan, if there is one.
pub fn lock_file() -> Option<File> {
    Some((LOCK_FILE.to_owned(), fs::read(LOCK_FILE).ok()?))
}

/// What is not as it was in the files of a spec and its modules, as a clause. Checkouts can't change: they are named by commit.
pub fn changed(files: &[File]) -> Option<String> {
    let mut folders: BTreeMap<&str, Vec<File>> = BTreeMap::from([(".", vec![])]);
    for (name, text) in files.iter().filter(|(name, _)| !name.starts_with(CACHE)) {
        if name == LOCK_FILE {
            if fs::read(LOCK_FILE).ok().as_ref() != Some(text) {
                return Some(format!("`{LOCK_FILE}` has another text"));
            }
            continue;
        }
        let (folder, name) = name.rsplit_once('/').unwrap_or((".", name));
        folders.entry(folder).or_default().push((name.to_owned(), text.clone()));
    }
    folders.into_iter().find_map(|(folder, was)| {
        let shown = |name: &str| if folder == "." { name.to_owned() } else { format!("{folder}/{name}") };
        let Ok(is) = files_of(Path::new(folder)) else { return Some(format!("`{folder}` can't be read")) };
        for (name, text) in &was {
            match is.iter().find(|(there, _)| there == name) {
                None => return Some(format!("`{}` is gone", shown(name))),
                Some((_, now)) if now != text => return Some(format!("`{}` has another text", shown(name))),
                Some(_) => {}
            }
        }
        let new = is.iter().find(|(name, _)| was.iter().all(|(before, _)| before != name));
        new.map(|(name, _)| format!("`{}` is new", shown(name)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_of_a_repository_stays_in_it() {
        let from = ".terrane/modules/abc/a";
        assert!(inside(".terrane/modules/abc".into(), from).is_ok());
        assert!(inside(".terrane/modules/abc/b".into(), from).is_ok());
        assert!(inside(".terrane/modules/abcd".into(), from).is_err());
        assert!(inside("../x".into(), from).is_err());
        assert!(inside("../x".into(), "modules/a").is_ok());
    }

    #[test]
    fn a_plan_finds_its_modules_by_folder() {
        let files: Vec<File> = ["a/terrane.toml", "a/b/terrane.toml", "terrane.toml"]
            .map(|name| (name.to_owned(), name.as_bytes().to_vec()))
            .into();
        let loaded = Saved::new(&files).load("./a", ".").unwrap();
        assert_eq!(loaded.folder, "a");
        assert_eq!(loaded.files, [("terrane.toml".to_owned(), b"a/terrane.toml".to_vec())]);
        assert!(Saved::new(&files).load("git::https://example.com/x", ".").is_err());
    }
}
