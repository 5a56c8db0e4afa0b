//! The organization that a stack's account is in: its policies, read from the files that `[terrane.access]` names.

use std::path::Path;
use std::sync::Arc;

use terrane_access::estate::Policy;
use terrane_access::{Limits, Organization, glob_matches};
use terrane_expr::{FileKind, FunctionContext};
use terrane_iam::{Document, Location, PolicyUse, Violation, validate};
use terrane_model::{Diagnostic, Diagnostics, Span};
use terrane_spec::settings::{Limits as Said, Settings};

/// Stands for the policy that AWS attaches to every level at first: it allows everything.
///
/// <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_inheritance_auth.html>
const FULL_ACCESS: &str = "FullAWSAccess";
const FULL_ACCESS_TEXT: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

/// Reads the policies of the organization; none where the spec says nothing. What is wrong with a file is added to
/// `diagnostics`, at the place that names it: then its policy may say anything.
pub fn organization(
    settings: &Settings,
    functions: &FunctionContext,
    diagnostics: &mut Diagnostics,
) -> Organization {
    let Some(said) = &settings.organization else { return Organization::default() };
    let mut reader = Reader { functions, diagnostics };
    Organization {
        id: said.id.as_deref().map(str::to_owned),
        own: reader.limits(&said.own),
        accounts: said
            .accounts
            .iter()
            .map(|(account, said)| (account.to_string(), reader.limits(said)))
            .collect(),
    }
}

struct Reader<'r> {
    functions: &'r FunctionContext,
    diagnostics: &'r mut Diagnostics,
}

impl Reader<'_> {
    fn limits(&mut self, said: &Said) -> Limits {
        let levels = said.service_control.iter();
        let service_control: Vec<Vec<Policy>> =
            levels.map(|level| self.policies(level, PolicyUse::ServiceControl)).collect();
        let resource_control = self.policies(&said.resource_control, PolicyUse::ResourceControl);
        self.warn_of_silent_levels(said, &service_control);
        match said.management_account {
            true => Limits::default(),
            false => Limits { service_control, resource_control },
        }
    }

    fn policies(&mut self, files: &[(Arc<str>, Span)], policy_use: PolicyUse) -> Vec<Policy> {
        let mut policies = Vec::new();
        for (name, span) in files {
            if &**name == FULL_ACCESS && policy_use == PolicyUse::ServiceControl {
                let document = Document::parse(FULL_ACCESS_TEXT).ok().map(Arc::new);
                policies.push(Policy { document, ..Policy::unknown(FULL_ACCESS, None) });
                continue;
            }
            for file in self.named(name, *span) {
                policies.push(self.policy(&file, *span, policy_use));
            }
        }
        policies
    }

    /// The files that a name with `*` and `?` in its last part stands for, in the order of their names.
    fn named(&mut self, name: &str, span: Span) -> Vec<String> {
        if !name.contains(['*', '?']) {
            return vec![name.to_owned()];
        }
        let (folder, pattern) = name.rsplit_once('/').unwrap_or(("", name));
        let path = self.functions.base.join(folder);
        let listed = match folder.contains(['*', '?']) {
            true => Err("`*` and `?` may stand in the last part only".to_owned()),
            false => self.functions.files.list(&path),
        };
        let entries = match listed {
            Ok(entries) => entries,
            Err(clause) => {
                self.unreadable(name, &clause, span);
                return vec![];
            }
        };
        let fits =
            |(entry, kind): &(String, FileKind)| *kind == FileKind::File && glob_matches(pattern, entry);
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let files = entries.iter().filter(|entry| fits(entry)).map(|(entry, _)| format!("{prefix}{entry}"));
        let mut files: Vec<String> = files.collect();
        files.sort();
        if files.is_empty() {
            self.unreadable(name, "no file has such a name", span);
        }
        files
    }

    fn policy(&mut self, file: &str, span: Span, policy_use: PolicyUse) -> Policy {
        let unknown = Policy::unknown(file, None);
        let bytes = match self.functions.files.read(&self.functions.base.join(Path::new(file))) {
            Ok(bytes) => bytes,
            Err(clause) => {
                self.unreadable(file, &clause, span);
                return unknown;
            }
        };
        let Ok(text) = String::from_utf8(bytes) else {
            self.unreadable(file, "it is not UTF-8 text", span);
            return unknown;
        };
        let violations = validate(&text, policy_use);
        for violation in &violations {
            let detail = format!("`{file}` is not a policy that AWS takes: {}.", told(violation, &text));
            self.diagnostics.push(
                Diagnostic::error("invalid-policy", "Invalid policy of the organization", detail).at(span),
            );
        }
        match Document::parse(&text) {
            Ok(document) if violations.is_empty() => Policy { document: Some(Arc::new(document)), ..unknown },
            _ => unknown,
        }
    }

    fn unreadable(&mut self, name: &str, clause: &str, span: Span) {
        let detail = format!("`{name}` can't be read: {clause}. Names are relative to the stack's folder.");
        self.diagnostics.push(
            Diagnostic::error("unreadable-policy", "Unreadable policy of the organization", detail).at(span),
        );
    }

    /// A level that allows nothing denies everything: more often a forgotten `FullAWSAccess` than a wish.
    fn warn_of_silent_levels(&mut self, said: &Said, levels: &[Vec<Policy>]) {
        for (number, (files, level)) in said.service_control.iter().zip(levels).enumerate() {
            let allows = level.iter().any(|policy| match &policy.document {
                Some(document) => document.statements.iter().any(|s| s.effect == terrane_iam::Effect::Allow),
                None => true,
            });
            if allows {
                continue;
            }
            let detail = format!(
                "No service control policy of level {} allows anything, so everything is denied to everybody of the account.",
                number + 1
            );
            let span = files.first().map_or(said.span, |(_, span)| *span);
            self.diagnostics.push(
                Diagnostic::warning("nothing-allowed", "Level that allows nothing", detail)
                    .at(span)
                    .hint("AWS attaches `FullAWSAccess` to every level at first: name it among the files if it is still there."),
            );
        }
    }
}

/// A violation with its line where the text's place is known.
fn told(violation: &Violation, text: &str) -> String {
    match violation.location {
        Location::Byte(offset) => {
            let line = text.bytes().take(offset).filter(|byte| *byte == b'\n').count().saturating_add(1);
            format!("{} (line {line})", violation.message.trim_end_matches('.'))
        }
        Location::Pointer(_) => {
            format!("{} ({})", violation.message.trim_end_matches('.'), violation.location)
        }
    }
}
