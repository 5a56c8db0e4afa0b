//! What a plan takes away by deleting an object that others use, such as a key that opens their data.

use serde_json::{Value as Json, json};
use terrane_model::Address;
use terrane_provider::{Holds, User};

/// An object that the plan deletes and that others use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The instance.
    pub address: Address,
    /// The key under which the object was put aside, when it is a left-over of a replacement.
    pub deposed: Option<String>,
    /// The object's id.
    pub id: String,
    /// For how many days after the deletion is begun it can be undone.
    pub days: u32,
    /// The day on which it is final if the plan is carried out on the day when it is made.
    pub date: Option<String>,
    /// Who uses it, those who lose data first.
    pub fates: Vec<Fate>,
    /// What could not be looked at, a sentence each.
    pub not_looked_at: Vec<String>,
}

/// A user, and what the plan does with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fate {
    /// The user.
    pub user: User,
    /// The instance that it is in the state.
    pub address: Option<Address>,
    /// What becomes of it.
    pub outcome: Outcome,
}

/// What becomes of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// This state does not have it, or lets go of it.
    Outside,
    /// It still uses the object after the plan.
    Stays,
    /// It uses another one after the plan.
    Changes,
    /// The plan deletes it.
    Deleted,
}

const OUTCOMES: [(Outcome, &str); 4] = [
    (Outcome::Outside, "outside"),
    (Outcome::Stays, "stays"),
    (Outcome::Changes, "changes"),
    (Outcome::Deleted, "deleted"),
];

const HOLDS: [(Holds, &str); 3] =
    [(Holds::Nothing, "nothing"), (Holds::Data, "data"), (Holds::DataAndBackups, "data-and-backups")];

impl Fate {
    /// Whether it goes on existing and loses data that nobody asked to delete.
    pub fn loses_data(&self) -> bool {
        self.user.holds != Holds::Nothing && matches!(self.outcome, Outcome::Outside | Outcome::Stays)
    }

    /// It in half a sentence: "table `Post`, not of this stack: can't be read any more".
    pub fn wording(&self) -> String {
        let User { what, name, .. } = &self.user;
        let address = self.address.as_ref().map(|address| format!(" (`{address}`)")).unwrap_or_default();
        let whose = match self.outcome {
            Outcome::Outside if self.address.is_some() => ", let go of by this plan",
            Outcome::Outside => ", not of this stack",
            Outcome::Stays => "",
            Outcome::Changes => ", uses another one after this plan",
            Outcome::Deleted => ", deleted by this plan",
        };
        let lost = match (self.user.holds, self.loses_data()) {
            (Holds::Nothing, _) | (Holds::Data, false) => "",
            (Holds::Data, true) => ": can't be read any more",
            (Holds::DataAndBackups, true) => ": can't be read any more, nor its point-in-time backups",
            (Holds::DataAndBackups, false) => ": its point-in-time backups until now can't be read any more",
        };
        format!("{what} `{name}`{address}{whose}{lost}")
    }

    /// As JSON, in plan files. Readers of plans are not told the id.
    fn to_json(&self) -> Json {
        let named = |holds| HOLDS.iter().find(|(h, _)| *h == holds).map_or("", |(_, name)| name);
        json!({
            "what": self.user.what,
            "name": self.user.name,
            "holds": named(self.user.holds),
            "address": self.address.as_ref().map(ToString::to_string),
            "outcome": OUTCOMES.iter().find(|(o, _)| *o == self.outcome).map_or("", |(_, name)| name),
        })
    }

    fn from_json(json: &Json) -> Option<Fate> {
        let text = |name: &str| json.get(name).and_then(Json::as_str);
        let address = match json.get("address")? {
            Json::Null => None,
            address => Some(address.as_str()?.parse().ok()?),
        };
        Some(Fate {
            user: User {
                what: text("what")?.to_owned(),
                name: text("name")?.to_owned(),
                id: text("id")?.to_owned(),
                holds: HOLDS.iter().find(|(_, name)| Some(*name) == text("holds")).map(|(h, _)| *h)?,
            },
            address,
            outcome: OUTCOMES.iter().find(|(_, name)| Some(*name) == text("outcome")).map(|(o, _)| *o)?,
        })
    }
}

impl Loss {
    /// When it is final, in a sentence.
    pub fn wording(&self) -> String {
        let day = self.date.as_ref().map(|date| format!(" ({date}, if it is applied today)"));
        format!(
            "It can't be used from the apply on, and is gone for good {} days later{}.",
            self.days,
            day.unwrap_or_default()
        )
    }

    /// As JSON, for tools that read plans.
    pub fn to_json(&self) -> Json {
        json!({
            "address": self.address.to_string(),
            "deposed": self.deposed,
            "id": self.id,
            "days": self.days,
            "date": self.date,
            "users": self.fates.iter().map(Fate::to_json).collect::<Vec<_>>(),
            "not_looked_at": self.not_looked_at,
        })
    }

    /// As it stands in plan files: with the ids of the users, which the apply looks for.
    pub(crate) fn to_file(&self) -> Json {
        let mut json = self.to_json();
        let users = json.get_mut("users").and_then(Json::as_array_mut).into_iter().flatten();
        for (user, fate) in users.zip(&self.fates) {
            if let Some(user) = user.as_object_mut() {
                user.insert("id".to_owned(), fate.user.id.as_str().into());
            }
        }
        json
    }

    /// Reads what [`Loss::to_file`] gives. Nothing when it is damaged.
    pub(crate) fn from_file(json: &Json) -> Option<Loss> {
        let text = |json: &Json| json.as_str().map(str::to_owned);
        let optional = |name: &str| match json.get(name)? {
            Json::Null => Some(None),
            json => Some(Some(text(json)?)),
        };
        Some(Loss {
            address: json.get("address")?.as_str()?.parse().ok()?,
            deposed: optional("deposed")?,
            id: json.get("id").and_then(text)?,
            days: json.get("days")?.as_u64()?.try_into().ok()?,
            date: optional("date")?,
            fates: json.get("users")?.as_array()?.iter().map(Fate::from_json).collect::<Option<_>>()?,
            not_looked_at: json.get("not_looked_at")?.as_array()?.iter().map(text).collect::<Option<_>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fate(holds: Holds, outcome: Outcome, address: Option<&str>) -> Fate {
        let user = User { what: "table".into(), name: "Post".into(), id: "arn:post".into(), holds };
        Fate { user, address: address.map(|address| address.parse().unwrap()), outcome }
    }

    #[test]
    fn fates_in_words() {
        let told = |holds, outcome, address| fate(holds, outcome, address).wording();
        assert_eq!(
            told(Holds::DataAndBackups, Outcome::Outside, None),
            "table `Post`, not of this stack: can't be read any more, nor its point-in-time backups"
        );
        assert_eq!(
            told(Holds::Data, Outcome::Stays, Some("aws_dynamodb_table.t")),
            "table `Post` (`aws_dynamodb_table.t`): can't be read any more"
        );
        assert_eq!(
            told(Holds::DataAndBackups, Outcome::Deleted, Some("aws_dynamodb_table.t")),
            "table `Post` (`aws_dynamodb_table.t`), deleted by this plan: its point-in-time backups until now can't be read any more"
        );
        assert_eq!(
            told(Holds::Data, Outcome::Changes, None),
            "table `Post`, uses another one after this plan"
        );
        assert_eq!(told(Holds::Nothing, Outcome::Outside, None), "table `Post`, not of this stack");
        assert!(!fate(Holds::Nothing, Outcome::Outside, None).loses_data());
        assert!(!fate(Holds::Data, Outcome::Deleted, None).loses_data());
    }

    #[test]
    fn nothing_is_lost_in_a_file_and_readers_see_no_ids() {
        let loss = Loss {
            address: "aws_kms_key.a".parse().unwrap(),
            deposed: Some("00000001".into()),
            id: "1234".into(),
            days: 30,
            date: Some("2026-12-24".into()),
            fates: vec![
                fate(Holds::Data, Outcome::Outside, None),
                fate(Holds::Nothing, Outcome::Deleted, Some("aws_kms_alias.a")),
            ],
            not_looked_at: vec!["Grants.".into()],
        };
        assert_eq!(Loss::from_file(&loss.to_file()), Some(loss.clone()));
        assert!(!loss.to_json().to_string().contains("arn:post"));
        assert_eq!(Loss::from_file(&loss.to_json()), None);
        assert!(loss.wording().contains("30 days later (2026-12-24"), "{}", loss.wording());
    }
}
