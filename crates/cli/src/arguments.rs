//! Arguments as Terraform's users type them: `-flag` is taken as `--flag`, more of them stand in the environment, and values
//! are read as Terraform reads them.

use std::ffi::OsString;
use std::time::{Duration, SystemTime};

use terrane_model::Diagnostic;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Holds arguments for every command, and with `_COMMAND` behind it for one.
const VARIABLE: &str = "TF_CLI_ARGS";

/// The commands that have commands of their own.
const GROUPS: [&str; 4] = ["access", "sandbox", "state", "workspace"];

/// Puts what `TF_CLI_ARGS` and `TF_CLI_ARGS_plan` hold behind the command, before its own arguments, so that these win.
///
/// # Errors
/// When a quote is not closed there.
pub fn extended(
    mut arguments: Vec<OsString>,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Vec<OsString>, Diagnostic> {
    let Some((end, name)) = command(&arguments) else { return Ok(arguments) };
    let mut more = Vec::new();
    for variable_name in [format!("{VARIABLE}_{}", name.replace('-', "_")), VARIABLE.to_owned()] {
        let Some(text) = variable(&variable_name) else { continue };
        let Some(words) = words(&text) else {
            let detail =
                format!("The variable {variable_name} of the environment has a quote that is not closed.");
            return Err(Diagnostic::error("bad-arguments", "Arguments not readable", detail));
        };
        more.extend(words.into_iter().map(OsString::from));
    }
    arguments.splice(end..end, more);
    Ok(arguments)
}

/// Where the command ends, and its name, with `_` between that of a group and its own.
fn command(arguments: &[OsString]) -> Option<(usize, String)> {
    let mut name: Option<String> = None;
    let mut end = 0;
    let mut is_value = false;
    for (i, argument) in arguments.iter().enumerate().skip(1) {
        let text = argument.to_str()?;
        match text {
            _ if std::mem::take(&mut is_value) => {}
            "--" => break,
            "-C" | "-chdir" | "--chdir" => is_value = true,
            _ if text.starts_with('-') => {}
            _ => {
                end = i + 1;
                match &mut name {
                    Some(group) => {
                        group.push('_');
                        group.push_str(text);
                        break;
                    }
                    None => name = Some(text.to_owned()),
                }
                if !GROUPS.contains(&text) {
                    break;
                }
            }
        }
    }
    name.map(|name| (end, name))
}

/// Words as a shell splits them. Nothing when a quote is not closed.
fn words(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            ('\\', None | Some('"')) => word.get_or_insert_default().push(chars.next()?),
            ('\'' | '"', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (c, None) if c.is_whitespace() => words.extend(word.take()),
            (c, _) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

/// Rewrites single-dash long flags. `-h`, `-V` and `-C DIR` stay as they are, and so does all behind `--`.
pub fn rewritten(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut literal = false;
    arguments
        .into_iter()
        .map(|argument| {
            literal |= argument == "--";
            match argument.to_str() {
                Some(text) if !literal && is_long(text) => format!("-{text}").into(),
                _ => argument,
            }
        })
        .collect()
}

/// A single dash, then a name of at least two letters that does not begin with a capital one (`-Cdir` is `-C dir`).
fn is_long(text: &str) -> bool {
    let Some(name) = text.strip_prefix('-') else { return false };
    let name = name.split('=').next().unwrap_or(name);
    name.len() > 1
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

/// `true` or `false`, or what is commonly meant by them.
pub fn truth(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "t" | "yes" => Ok(true),
        "false" | "0" | "f" | "no" | "" => Ok(false),
        _ => Err("must be `true` or `false`".to_owned()),
    }
}

/// A number of things at once.
pub fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(n @ 1..=1000) => Ok(n),
        _ => Err("must be a number from 1 to 1000".to_owned()),
    }
}

/// `60s`, `1m30s`, or a number of seconds.
pub fn duration(text: &str) -> Result<Duration, String> {
    terrane_model::conform::parse_duration(text)
        .or_else(|| text.parse().ok().map(Duration::from_secs))
        .ok_or_else(|| "must be a duration such as `60s`".to_owned())
}

/// A moment: so long ago, or at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// So long ago.
    Ago(Duration),
    /// At this time.
    At(SystemTime),
}

impl Since {
    /// The time.
    pub fn time(self) -> SystemTime {
        match self {
            Since::Ago(ago) => SystemTime::now().checked_sub(ago).unwrap_or(SystemTime::UNIX_EPOCH),
            Since::At(time) => time,
        }
    }
}

/// A duration back from now, `7d` among them, or a time.
pub fn since(text: &str) -> Result<Since, String> {
    let days = text.strip_suffix('d').and_then(|days| days.parse::<u64>().ok());
    let ago = days.and_then(|days| days.checked_mul(86_400)).map(Duration::from_secs);
    if let Some(ago) = ago.or_else(|| duration(text).ok()) {
        return Ok(Since::Ago(ago));
    }
    OffsetDateTime::parse(text, &Rfc3339).map(|time| Since::At(time.into())).map_err(|_| {
        "must be a duration such as `24h` or `7d`, or a time such as `2026-11-24T09:00:00Z`".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(arguments: &[&str], set: &[(&str, &str)]) -> Option<String> {
        let arguments = arguments.iter().map(OsString::from).collect();
        let variable =
            |name: &str| set.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
        let all = extended(arguments, variable).ok()?;
        Some(all.iter().map(|word| word.to_str().unwrap()).collect::<Vec<_>>().join("|"))
    }

    #[test]
    fn moments_are_given_by_their_distance_or_by_a_time() {
        assert_eq!(since("90m"), Ok(Since::Ago(Duration::from_secs(5400))));
        assert_eq!(since("7d"), Ok(Since::Ago(Duration::from_secs(604_800))));
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_464_000);
        assert_eq!(since("2026-11-23T20:00:00Z"), Ok(Since::At(time)));
        for text in ["", "yesterday", "-1d", "2026-11-23", "99999999999999999999d"] {
            assert!(since(text).is_err(), "{text}");
        }
        assert!(Since::Ago(Duration::from_secs(u64::MAX)).time() <= SystemTime::now());
    }

    #[test]
    fn arguments_of_the_environment() {
        let set = [
            ("TF_CLI_ARGS", "-no-color"),
            ("TF_CLI_ARGS_plan", "-var 'a=b c'"),
            ("TF_CLI_ARGS_state_mv", "-dry-run"),
        ];
        for (arguments, all) in [
            (&["t", "-chdir=d", "plan", "-out=f"][..], "t|-chdir=d|plan|-var|a=b c|-no-color|-out=f"),
            (&["t", "-C", "plan", "apply"], "t|-C|plan|apply|-no-color"),
            (&["t", "state", "mv", "a.b", "a.c"], "t|state|mv|-dry-run|-no-color|a.b|a.c"),
            (&["t", "force-unlock", "x"], "t|force-unlock|-no-color|x"),
            (&["t", "--help"], "t|--help"),
            (&["t"], "t"),
        ] {
            assert_eq!(with(arguments, &set).unwrap(), all);
        }
        assert_eq!(with(&["t", "plan"], &[("TF_CLI_ARGS", "-var 'a")]), None);
        assert_eq!(
            with(&["t", "force-unlock"], &[("TF_CLI_ARGS_force_unlock", "-force")]).unwrap(),
            "t|force-unlock|-force"
        );
    }

    #[test]
    fn words_of_a_shell() {
        assert_eq!(words(r#"  -a "b \" c"  '\d' e\ f "" "#).unwrap(), ["-a", "b \" c", "\\d", "e f", ""]);
        assert_eq!(words("").unwrap(), [""; 0]);
        for open in ["'a", "\"a", "a\\"] {
            assert_eq!(words(open), None, "{open}");
        }
    }

    #[test]
    fn only_long_flags_are_rewritten() {
        let given = [
            "terrane",
            "-chdir=a",
            "-Cb",
            "-C",
            "plan",
            "-out=f",
            "-h",
            "--var",
            "x=-y",
            "-5",
            "--",
            "-auto-approve",
        ];
        let wanted = [
            "terrane",
            "--chdir=a",
            "-Cb",
            "-C",
            "plan",
            "--out=f",
            "-h",
            "--var",
            "x=-y",
            "-5",
            "--",
            "-auto-approve",
        ];
        assert_eq!(rewritten(given.map(OsString::from)), wanted.map(OsString::from));
    }
}
