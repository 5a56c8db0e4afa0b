//! What the user asked for by address: targets, exclusions and replacements, and what the last apply left out.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value as Json;
use terrane_model::nearest::meant;
use terrane_model::{Address, Diagnostic, Diagnostics, Severity};
use terrane_spec::statement::Check;
use terrane_state::Snapshot;

use super::{Builder, Input};
use crate::access::{AccessReport, Kept, report};
use crate::plan::Mode;
use crate::target::{Scene, Targeting, bring_uncovered, named, no_match};

/// The key in Terrane's own part of the state under which a limited apply is remembered.
const KEY: &str = "partial";

impl Input<'_> {
    /// What a selection is made from.
    pub fn scene(&self) -> Scene<'_> {
        Scene {
            spec: self.spec,
            variables: self.variables.clone(),
            workspace: self.workspace.clone(),
            functions: self.functions.clone(),
            snapshot: self.snapshot,
            mode: self.options.mode,
        }
    }
}

impl Builder<'_, '_> {
    /// Whether an instance that the spec wants is looked at.
    pub(super) fn covers(&mut self, address: Address) -> bool {
        let covers = self.selection.covers(&address);
        if !self.selection.open().is_empty() {
            self.wanted.insert(address);
        }
        covers
    }

    /// Whether a check can be judged.
    pub(super) fn judges(&self, module: &[Arc<str>], check: &Check) -> bool {
        self.selection.judges(self.input.spec, module, check)
    }

    /// Says that the plan is limited, and that the one that was applied last was.
    pub(super) fn warn_of_limits(&mut self) {
        self.diagnostics.extend(self.selection.warning());
        if self.input.options.mode == Mode::Destroy {
            return;
        }
        let Some(before) = remembered(self.input.snapshot) else { return };
        let more = match self.selection.is_limited() {
            true => "This plan is limited, too.",
            false => "This plan covers everything; once it is applied, this is not said any more.",
        };
        let detail = format!(
            "The plan that was applied last was limited by {before}, so some of what the spec asks for may still have to be \
             done. {more}"
        );
        self.diagnostics.push(Diagnostic::warning("partial-apply", "Last apply was limited", detail));
    }

    /// What the plan does to access, over the whole stack: what it does not cover is as the state has it.
    pub(super) fn access(&mut self) -> AccessReport {
        bring_uncovered(&mut self.world, &self.selection, &self.refreshed, self.input.catalog);
        let mut found = Diagnostics::new();
        let kept = Kept { selection: &self.selection, snapshot: &self.refreshed };
        let report = report(self.input, &self.world, self.graph, kept, &self.changes, &mut found);
        let weighed = |error: Diagnostic| match self.input.options.only_look {
            true => Diagnostic { severity: Severity::Warning, ..error },
            false => self.selection.weighed(error),
        };
        self.diagnostics.extend(found.into_iter().map(weighed));
        report
    }

    /// What was named must be there. Asked when everything that the plan needs was read.
    pub(super) fn check_requests(&mut self) {
        let there: BTreeSet<String> = self.changes.iter().map(|c| c.address.to_string()).collect();
        if self.needs.is_empty() {
            let unmatched = self.selection.open().iter();
            let unmatched = unmatched.filter(|s| !self.wanted.iter().any(|address| s.covers(address)));
            let names = self.wanted.iter().map(ToString::to_string).collect();
            let errors: Vec<Diagnostic> = unmatched.map(|s| no_match(s, &names)).collect();
            self.diagnostics.extend(errors);
        }
        for wanted in &self.input.options.replace {
            let text = wanted.to_string();
            if there.contains(&text) {
                continue;
            }
            if self.refreshed.get(wanted).is_some() && !self.selection.covers(wanted) {
                let detail = format!(
                    "`{text}` was asked to be replaced, and the plan does not cover it because of {}.",
                    named(&self.input.options.targeting)
                );
                self.diagnostics.push(Diagnostic::error("not-targeted", "Replacement out of reach", detail));
                continue;
            }
            let near = meant(&text, there.iter().map(String::as_str));
            let detail = format!("`{text}` was asked to be replaced, and there is no such instance.{near}");
            self.diagnostics.push(
                Diagnostic::error("unknown-address", "Unknown address", detail)
                    .hint("`terrane state list` names all addresses in the state."),
            );
        }
    }

    /// Only a normal plan replaces anything.
    pub(super) fn refuse_replacing(&mut self) {
        if self.input.options.mode == Mode::Normal || self.input.options.replace.is_empty() {
            return;
        }
        let detail = "Forcing resource instance replacement (with `--replace`) is allowed only in normal planning mode.";
        self.error(Diagnostic::error("unsupported-mode", "Unsupported plan mode", detail));
    }

    /// Names that allow something must stand for something, so that a misspelt one does not pass for the right one.
    pub(super) fn check_allowed(&mut self) {
        let options = self.input.options;
        let named =
            [("--allow-destroy", &options.allow_destroy), ("--allow-lockout", &options.allow_lockout)];
        self.check_keys();
        if named.iter().all(|(_, addresses)| addresses.is_empty()) {
            return;
        }
        let mut there: BTreeSet<Address> = self.changes.iter().map(|change| change.address.clone()).collect();
        there.extend(self.input.snapshot.instances().map(|(address, _, _)| address));
        let resources: Vec<Address> = there.iter().map(|address| address.resource.instance(None)).collect();
        there.extend(resources);
        let names: Vec<String> = there.iter().map(ToString::to_string).collect();
        for (flag, addresses) in named {
            for wanted in addresses.iter().filter(|wanted| !there.contains(wanted)) {
                let out_of_reach = !self.selection.covers(wanted);
                if out_of_reach && self.input.spec.resource(&wanted.resource).is_some() {
                    continue;
                }
                let near = meant(&wanted.to_string(), names.iter().map(String::as_str));
                let detail = format!(
                    "`{flag}` names `{wanted}`, and there is no such object in the spec or the state.{near}"
                );
                self.diagnostics.push(
                    Diagnostic::error("unknown-address", "Unknown address", detail)
                        .hint("`terrane state list` names all addresses in the state."),
                );
            }
        }
    }

    /// A name that allows a key's deletion must be that of a key.
    fn check_keys(&mut self) {
        let input = self.input;
        let allowed = &input.options.allow_key_deletion;
        if allowed.is_empty() {
            return;
        }
        let is_key = |address: &Address| {
            let kind = input.catalog.resource(&address.resource.type_name);
            kind.is_some_and(|kind| kind.can_be_brought_back())
        };
        let mut there: BTreeSet<Address> = self.changes.iter().map(|change| change.address.clone()).collect();
        there.extend(input.snapshot.instances().map(|(address, _, _)| address));
        let resources: Vec<Address> = there.iter().map(|address| address.resource.instance(None)).collect();
        there.extend(resources);
        let keys: BTreeSet<&Address> = there.iter().filter(|address| is_key(address)).collect();
        let names: Vec<String> = keys.iter().map(ToString::to_string).collect();
        let mut errors = Diagnostics::new();
        for wanted in allowed.iter().filter(|wanted| !keys.contains(wanted)) {
            let declared = input.spec.resource(&wanted.resource).is_some();
            // One that is declared and gone, or not covered, is a key all the same.
            let whole = wanted.resource.instance(None);
            if declared && is_key(wanted) && (!self.selection.covers(wanted) || !keys.contains(&whole)) {
                continue;
            }
            let near = meant(&wanted.to_string(), names.iter().map(String::as_str));
            let detail = match there.contains(wanted) || declared && !is_key(wanted) {
                true => format!("`--allow-key-deletion` names `{wanted}`, and that is not a key.{near}"),
                false => format!(
                    "`--allow-key-deletion` names `{wanted}`, and there is no such key in the spec or the state.{near}"
                ),
            };
            let hint = match names.as_slice() {
                [] => "This stack has no keys.".to_owned(),
                names => format!("Keys of this stack: {}.", names_of_keys(names)),
            };
            errors.push(Diagnostic::error("unknown-address", "Unknown address", detail).hint(hint));
        }
        self.diagnostics.extend(errors);
    }
}

/// The first few names.
fn names_of_keys(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(5).map(|name| format!("`{name}`")).collect();
    match names.len() > shown.len() {
        true => format!("{} and {} more", shown.join(", "), names.len() - shown.len()),
        false => shown.join(", "),
    }
}

/// Remembers in the state that a limited plan was applied.
pub fn remember(targeting: &Targeting, snapshot: &mut Snapshot) {
    let texts = |all: &[terrane_model::Selector]| -> Json { all.iter().map(ToString::to_string).collect() };
    let note = serde_json::json!({
        "targets": texts(&targeting.targets),
        "dependents": targeting.dependents,
        "excludes": texts(&targeting.excludes),
    });
    snapshot.terrane.insert(KEY.to_owned(), note);
}

/// Forgets it: everything was applied.
pub fn forget(snapshot: &mut Snapshot) {
    snapshot.terrane.shift_remove(KEY);
}

/// By what the plan was limited that was applied last, as it was given on the command line. What can't be read is passed over.
fn remembered(snapshot: &Snapshot) -> Option<String> {
    let note = snapshot.terrane.get(KEY)?;
    let all = |name: &str| {
        let texts = note.get(name).and_then(Json::as_array).into_iter().flatten();
        texts.filter_map(|text| text.as_str()?.parse().ok()).collect()
    };
    let dependents = note.get("dependents").and_then(Json::as_bool) == Some(true);
    let targeting = Targeting { targets: all("targets"), dependents, excludes: all("excludes") };
    targeting.is_limited().then(|| named(&targeting))
}
