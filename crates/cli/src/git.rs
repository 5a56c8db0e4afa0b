//! Modules in git repositories: `git::https://host/repository.git//folder?ref=v1`, fetched by the `git` program.
//!
//! A source is resolved to a commit once; the lock file keeps it, and a checkout is named by its commit, so that nothing
//! is asked over the network while both are there. What a source says reaches git only as the value of an option or behind
//! `--end-of-options`, and git may use only the protocols that are allowed here.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// Which commit each git source stands for.
pub const LOCK_FILE: &str = ".terrane.modules.lock";

/// The protocols that git may use.
const PROTOCOLS: [&str; 3] = ["https", "ssh", "file"];

/// What to take of which repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// The repository.
    url: String,
    /// A branch, a tag or a commit; absent: the repository's default branch.
    reference: Option<String>,
}

/// As the lock file names it.
impl fmt::Display for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "git::{}", self.url)?;
        self.reference.as_ref().map_or(Ok(()), |reference| write!(f, "?ref={reference}"))
    }
}

impl Remote {
    /// Reads a source. The second answer is the folder in the repository.
    ///
    /// # Errors
    /// Sentences that say why it is no source that could be fetched.
    pub fn parse(source: &str) -> Result<(Remote, String), String> {
        let Some(url) = source.strip_prefix("git::") else {
            return Err(format!(
                "`{source}` is no source of a module. Write a folder such as `./network`, or a repository such as \
                 `git::https://example.com/network.git?ref=v1`. Modules of registries are not supported."
            ));
        };
        let (url, query) = url.split_once('?').map_or((url, None), |(url, query)| (url, Some(query)));
        let mut reference = None;
        for part in query.into_iter().flat_map(|query| query.split('&')) {
            match part.split_once('=') {
                Some(("ref", wanted)) => reference = Some(checked("ref", wanted)?),
                Some(("depth", _)) => {}
                _ => return Err(format!("`{part}` means nothing here. A git source takes `?ref=...`.")),
            }
        }
        let Some((protocol, rest)) = url.split_once("://") else {
            return Err(
                "A git source is written with its protocol, such as `git::ssh://git@host/path`.".into()
            );
        };
        if !PROTOCOLS.contains(&protocol) {
            return Err(format!(
                "The protocol `{protocol}` is not allowed for modules. There are `https`, `ssh` and `file`."
            ));
        }
        let (repository, below) = rest.split_once("//").unwrap_or((rest, ""));
        let url = checked("address", &format!("{protocol}://{repository}"))?;
        if repository.is_empty() || repository.starts_with('-') {
            return Err("The source names no repository.".into());
        }
        let authority = repository.split('/').next().unwrap_or(repository);
        if authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':')) {
            return Err(
                "A password does not belong into a source, which is kept in the lock file and in plans. Let \
                        git find it, with a credential helper."
                    .into(),
            );
        }
        let below = below.trim_matches('/');
        if below.split('/').any(|step| matches!(step, ".." | ".git")) {
            return Err("The folder of a git source lies in the repository.".into());
        }
        Ok((Remote { url, reference }, below.to_owned()))
    }
}

/// Refuses what could be taken for an option, and what is not to be seen.
fn checked(what: &str, text: &str) -> Result<String, String> {
    let good = !text.is_empty()
        && !text.starts_with('-')
        && text.chars().all(|c| !c.is_whitespace() && !c.is_control());
    if good { Ok(text.to_owned()) } else { Err(format!("The {what} of the git source is not usable.")) }
}

fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'))
}

/// The lock file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    commits: BTreeMap<String, String>,
}

impl Lock {
    /// Reads the file; there may be none.
    pub fn read(path: &Path) -> Lock {
        fs::read(path).map(|text| Lock::parse(&text)).unwrap_or_default()
    }

    /// Reads lines of a commit and a source. Others are passed over; those sources are resolved anew.
    pub fn parse(text: &[u8]) -> Lock {
        let text = String::from_utf8_lossy(text);
        let line = |line: &str| {
            let (commit, source) = line.split_once(' ')?;
            is_commit(commit).then(|| (source.trim().to_owned(), commit.to_owned()))
        };
        Lock { commits: text.lines().filter_map(line).collect() }
    }

    /// The commit that is written down for a source.
    pub fn known(&self, remote: &Remote) -> Option<String> {
        self.commits.get(&remote.to_string()).cloned()
    }

    /// The commit of a source: the one that is written down, or what the repository says now.
    ///
    /// # Errors
    /// What git has to say.
    pub fn resolve(&mut self, remote: &Remote) -> Result<String, String> {
        if let Some(known) = self.known(remote) {
            return Ok(known);
        }
        let commit = match &remote.reference {
            Some(reference) if is_commit(reference) => reference.clone(),
            reference => asked(remote, reference.as_deref().unwrap_or("HEAD"))?,
        };
        self.commits.insert(remote.to_string(), commit.clone());
        let mut text =
            "# The commits of the modules that come from git. Keep this file beside the spec.\n".to_owned();
        for (source, commit) in &self.commits {
            text.push_str(&format!("{commit} {source}\n"));
        }
        // Beside its place and then there: an interrupted run leaves no half file.
        let beside = format!("{LOCK_FILE}.{}", std::process::id());
        let written = fs::write(&beside, text).and_then(|()| fs::rename(&beside, LOCK_FILE));
        written.map_err(|error| format!("`{LOCK_FILE}` can't be written: {error}."))?;
        Ok(commit)
    }
}

/// Asks the repository for the commit of a branch or tag.
fn asked(remote: &Remote, reference: &str) -> Result<String, String> {
    let peeled = format!("{reference}^{{}}");
    let listed = git(None, &["ls-remote", "--end-of-options", &remote.url, reference, &peeled])?;
    let found: BTreeMap<&str, &str> = listed
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .map(|(commit, name)| (name, commit))
        .collect();
    let names = [
        format!("refs/tags/{reference}^{{}}"),
        format!("refs/tags/{reference}"),
        format!("refs/heads/{reference}"),
        reference.to_owned(),
    ];
    let commit = names.iter().find_map(|name| found.get(name.as_str())).filter(|commit| is_commit(commit));
    commit.map(|commit| (*commit).to_owned()).ok_or_else(|| {
        format!("`{}` has no branch and no tag `{reference}`. A commit is written in full.", remote.url)
    })
}

/// The folder of a commit's files, fetched where they are not there yet.
///
/// # Errors
/// What git has to say.
pub fn checkout(remote: &Remote, commit: &str, cache: &Path) -> Result<String, String> {
    let folder = cache.join(commit);
    let name = folder.display().to_string();
    if folder.is_dir() {
        return Ok(name);
    }
    // Made beside its place and moved there whole: an interrupted fetch leaves no half module.
    let making = cache.join(format!("{commit}.{}", std::process::id()));
    let fetched = fetch(remote, commit, &making);
    let moved = fetched.and_then(|()| {
        fs::remove_dir_all(making.join(".git"))
            .and_then(|()| fs::rename(&making, &folder))
            .or_else(|error| if folder.is_dir() { Ok(()) } else { Err(error) })
            .map_err(|error| format!("`{name}` can't be made: {error}."))
    });
    // What is left of it is of no use, and no reason to fail.
    let _ = fs::remove_dir_all(&making);
    moved.map(|()| name)
}

fn fetch(remote: &Remote, commit: &str, folder: &Path) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|error| format!("`{}` can't be made: {error}.", folder.display()))?;
    git(Some(folder), &["init", "--quiet"])?;
    let one = git(Some(folder), &["fetch", "--quiet", "--depth=1", "--end-of-options", &remote.url, commit]);
    if one.is_err() {
        // Not every server gives a single commit; then everything that leads to branches and tags is fetched.
        let (heads, tags) = ("+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*");
        git(Some(folder), &["fetch", "--quiet", "--end-of-options", &remote.url, heads, tags])?;
    }
    git(Some(folder), &["-c", "advice.detachedHead=false", "checkout", "--quiet", "--force", commit, "--"])?;
    Ok(())
}

/// Runs git without asking anybody anything. Hooks and templates of this machine have no part in it.
fn git(folder: Option<&Path>, arguments: &[&str]) -> Result<String, String> {
    let mut command = Command::new("git");
    command
        .args(["-c", "core.hooksPath=/dev/null", "-c", "init.templateDir=", "-c", "core.symlinks=false"])
        .args(arguments)
        .env("GIT_ALLOW_PROTOCOL", PROTOCOLS.join(":"))
        .env("GIT_TERMINAL_PROMPT", "0")
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        .env_remove("GIT_INDEX_FILE")
        .stdin(Stdio::null());
    if std::env::var_os("GIT_SSH_COMMAND").is_none() {
        command.env("GIT_SSH_COMMAND", "ssh -o BatchMode=yes");
    }
    if let Some(folder) = folder {
        command.current_dir(folder);
    }
    let output = command.output().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            "The program `git` is needed for this module, and it is not there.".into()
        }
        _ => format!("`git` can't be run: {error}."),
    })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let fatal = said.lines().find_map(|line| line.strip_prefix("fatal: "));
    let said = fatal.or_else(|| said.lines().next()).unwrap_or("it does not say why").trim_end_matches('.');
    Err(format!("`git` could not get the module: {said}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_read_or_refused() {
        let (remote, below) = Remote::parse("git::https://example.com/a/b.git//c/d?ref=v1.2").unwrap();
        assert_eq!((remote.url.as_str(), below.as_str()), ("https://example.com/a/b.git", "c/d"));
        assert_eq!(remote.to_string(), "git::https://example.com/a/b.git?ref=v1.2");
        let (remote, below) = Remote::parse("git::file:///srv/a.git").unwrap();
        assert_eq!((remote.url.as_str(), below.as_str(), remote.reference), ("file:///srv/a.git", "", None));
        for bad in [
            "hashicorp/consul/aws",
            "git::http://example.com/x",
            "git::ext::sh -c id",
            "git::ext://sh",
            "git::https://example.com/x?ref=--upload-pack=id",
            "git::https://example.com/x?ref=",
            "git::https://example.com/x?depht=1",
            "git::https://example.com/x//../y",
            "git::https://example.com/x//.git",
            "git::ssh://-oProxyCommand=id/x",
            "git::https://",
            "git::https://user:password@example.com/x",
            "git::git@example.com:x",
        ] {
            assert!(Remote::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_lock_keeps_what_it_reads() {
        let commit = "0123456789abcdef0123456789abcdef01234567";
        let lock = Lock::parse(format!("# words\n{commit} git::file:///a?ref=x\nshort git::b\n").as_bytes());
        let (remote, _) = Remote::parse("git::file:///a//sub?ref=x").unwrap();
        assert_eq!(lock.known(&remote).as_deref(), Some(commit));
        assert_eq!(lock.commits.len(), 1);
    }
}
