//! Objects that others use and that the plan deletes: who uses them is asked, said, and where data would be lost that the
//! plan does not delete itself, refused.

use std::collections::BTreeMap;

use terrane_model::{Action, Address, Diagnostic, Value};
use terrane_provider::{Holds, ResourceType, User};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use super::{Builder, Need, Wish};
use crate::access::secrets;
use crate::codec::decode;
use crate::loss::{Fate, Loss, Outcome};
use crate::plan::Change;

/// The object of an instance, or one that was put aside.
type Object = (Address, Option<String>);

impl Builder<'_, '_> {
    /// What is lost with the objects that are deleted. Asks first for who uses them; refuses what nobody allowed.
    pub(super) fn losses(&mut self) -> Vec<Loss> {
        let catalog = self.input.catalog;
        let mut going = Vec::new();
        for change in &self.changes {
            let goes = change.action == Action::Delete || change.action.is_replace();
            let Some(kind) = catalog.resource(&change.address.resource.type_name).filter(|_| goes) else {
                continue;
            };
            let Some(object) = change.before.as_ref().map(|before| before.clone().unmark_deep().0) else {
                continue;
            };
            let Some(days) = kind.days_until_lost(&object) else { continue };
            // Its deletion was begun before this plan.
            if !kind.is_pending_deletion(&object) {
                going.push((change.clone(), kind.clone(), object, days));
            }
        }
        let mut asked = false;
        for (change, _, object, _) in &going {
            let of = (change.address.clone(), change.deposed.clone());
            if !self.input.observed.users.contains_key(&of) {
                let what = Wish::Users { object: object.clone(), deposed: change.deposed.clone() };
                self.ask(Need { address: change.address.clone(), provider: change.provider.clone(), what });
                asked = true;
            }
        }
        if asked || going.is_empty() {
            return vec![];
        }
        let objects = self.objects();
        let losses: Vec<Loss> = going
            .iter()
            .map(|(change, kind, object, days)| self.loss(change, kind.as_ref(), object, *days, &objects))
            .collect();
        for (loss, (change, ..)) in losses.iter().zip(&going) {
            self.judge_loss(loss, change);
        }
        losses.into_iter().filter(|loss| !loss.fates.is_empty() || !loss.not_looked_at.is_empty()).collect()
    }

    /// Every managed object of the refreshed state.
    fn objects(&self) -> BTreeMap<Object, Value> {
        let mut objects = BTreeMap::new();
        for (address, _, instance) in self.refreshed.instances() {
            let Some(kind) = self.input.catalog.resource(&address.resource.type_name) else { continue };
            let current = instance.current.iter().map(|object| (None, object));
            let aside = instance.deposed.iter().map(|(key, object)| (Some(key.clone()), object));
            for (deposed, object) in current.chain(aside) {
                if let Ok(value) = decode(kind.schema(), &object.attributes, &object.sensitive) {
                    objects.insert((address.clone(), deposed), value.unmark_deep().0);
                }
            }
        }
        objects
    }

    fn loss(
        &self,
        change: &Change,
        kind: &dyn ResourceType,
        object: &Value,
        days: u32,
        objects: &BTreeMap<Object, Value>,
    ) -> Loss {
        let of = (change.address.clone(), change.deposed.clone());
        let told = self.input.observed.users.get(&of).cloned().unwrap_or_default();
        let mut users: BTreeMap<String, User> =
            told.found.into_iter().map(|user| (user.id.clone(), user)).collect();
        let mut holders: BTreeMap<String, &Object> = objects
            .iter()
            .flat_map(|(at, value)| {
                ["arn", "id"]
                    .into_iter()
                    .filter_map(move |name| Some((value.get(name)?.as_str()?.to_owned(), at)))
            })
            .collect();
        for (at, value) in objects.iter().filter(|(at, _)| **at != of) {
            if let Some(user) = kind.user(object, &at.0.resource.type_name, value) {
                holders.insert(user.id.clone(), at);
                users.entry(user.id.clone()).or_insert(user);
            }
        }
        let mut fates: Vec<Fate> = users
            .into_values()
            .map(|user| {
                let at = holders.get(&user.id).copied();
                let outcome = at.map_or(Outcome::Outside, |at| self.outcome(at, kind, object));
                Fate { user, address: at.map(|(address, _)| address.clone()), outcome }
            })
            .collect();
        fates.sort_by(|a, b| {
            let rank = |fate: &Fate| (!fate.loses_data(), fate.user.holds == Holds::Nothing);
            (rank(a), &a.user.what, &a.user.name).cmp(&(rank(b), &b.user.what, &b.user.name))
        });
        let id = object.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut loss = Loss {
            address: of.0,
            deposed: of.1,
            id,
            days,
            date: self.input.functions.plan_time.as_deref().and_then(|now| day(now, days)),
            fates,
            not_looked_at: told.not_looked_at,
        };
        let secrets = secrets(self.input, &self.refreshed, std::iter::empty());
        loss.fates.iter_mut().for_each(|fate| secrets.hide_in(&mut fate.user.name));
        loss.not_looked_at.iter_mut().for_each(|text| secrets.hide_in(text));
        loss
    }

    /// What the plan does with an object that uses another one.
    fn outcome(&self, at: &Object, kind: &dyn ResourceType, used: &Value) -> Outcome {
        let change = self.changes.iter().find(|change| (&change.address, &change.deposed) == (&at.0, &at.1));
        let Some(change) = change else { return Outcome::Stays };
        match change.action {
            Action::Delete | Action::DeleteThenCreate | Action::CreateThenDelete => Outcome::Deleted,
            Action::Forget => Outcome::Outside,
            _ => {
                let after = change.after.as_ref().map(|after| after.clone().unmark_deep().0);
                let type_name = &at.0.resource.type_name;
                match after.is_some_and(|after| kind.user(used, type_name, &after).is_none()) {
                    true => Outcome::Changes,
                    false => Outcome::Stays,
                }
            }
        }
    }

    /// Says what could not be looked at, warns of users that can't follow in time, and refuses what loses data.
    fn judge_loss(&mut self, loss: &Loss, change: &Change) {
        let about = &loss.address;
        let span = self.input.spec.resource(&about.resource).map(|spec| spec.span);
        if !loss.not_looked_at.is_empty() {
            let detail = format!(
                "The plan deletes `{about}`, and who uses it could not be told in full. {}",
                loss.not_looked_at.join(" ")
            );
            let warning = Diagnostic::warning("users-unknown", "Users of a deleted object not known", detail);
            self.error(warning.about(about).hint(
                "Look yourself before the plan is applied: what only this object opens is lost with it.",
            ));
        }
        let late = loss
            .fates
            .iter()
            .any(|fate| fate.outcome == Outcome::Changes && fate.user.holds != Holds::Nothing);
        if late && change.action == Action::DeleteThenCreate {
            let detail = format!(
                "`{about}` is deleted before its successor is made, so that what uses it goes over to the successor while the \
                 present one can't be used any more. That may fail, and leave the data closed until the deletion is undone."
            );
            let warning = Diagnostic::warning("successor-too-late", "Successor made too late", detail);
            let hint = "`lifecycle = { create_before_destroy = true }` makes the successor first.";
            self.error(warning.about(about).at(span).hint(hint));
        }
        let options = &self.input.options;
        let allowed = &options.allow_key_deletion;
        if options.only_look || allowed.contains(about) || allowed.contains(&about.resource.instance(None)) {
            return;
        }
        let losers: Vec<String> =
            loss.fates.iter().filter(|fate| fate.loses_data()).map(Fate::wording).collect();
        if losers.is_empty() {
            return;
        }
        let detail = format!(
            "The plan deletes `{about}` ({}), and data would be lost that it does not delete: {}. {}",
            loss.id,
            losers.join("; "),
            loss.wording()
        );
        let error = Diagnostic::error("still-in-use", "Deleted object still in use", detail)
            .about(about)
            .at(span)
            .hint("Let what uses it go over to another one first, or delete it.")
            .hint(format!("`--allow-key-deletion '{about}'` goes on all the same."));
        self.error(error);
    }
}

/// The day so many days after a moment.
fn day(moment: &str, days: u32) -> Option<String> {
    let then = OffsetDateTime::parse(moment, &Rfc3339).ok()?.checked_add(Duration::days(days.into()))?;
    Some(then.date().to_string())
}

#[cfg(test)]
mod tests {
    use super::day;

    #[test]
    fn days_are_counted_from_the_plan_on() {
        assert_eq!(day("2026-11-24T10:11:12Z", 30).as_deref(), Some("2026-12-24"));
        assert_eq!(day("soon", 30), None);
    }
}
