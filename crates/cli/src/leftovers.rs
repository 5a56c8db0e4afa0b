//! Temporary access keys that a command which died left over: removed before anything else.

use terrane_aws::client::Clients;
use terrane_aws::temporary::{Ledger, Note, Tidied, Trouble};
use terrane_model::Diagnostic;
use terrane_provider::Session;
use terrane_reconcile::Sessions;
use terrane_state::Store;

use crate::exit::Problem;
use crate::terminal::Terminal;

/// The session that works in an account.
pub fn session_of<'s>(sessions: &'s Sessions, account: &str) -> Option<&'s Session> {
    let mut all = sessions.0.iter().filter(|(key, _)| key.name.as_ref() == "aws").map(|(_, session)| session);
    all.find(|session| session.facts.account.as_deref() == Some(account))
}

/// The notes of temporary keys, without those that could be removed now.
///
/// # Errors
/// When the notes can't be read or written. What IAM refuses is told, and stays noted.
pub async fn tidied(store: &Store, sessions: &Sessions, terminal: &Terminal) -> Result<Ledger, Problem> {
    let mut ledger = Ledger::open(store.notes())?;
    for note in ledger.left_over() {
        let text = match tidy(&mut ledger, sessions, &note).await {
            Ok(Some(tidied)) => done(&note, &tidied),
            Ok(None) => format!(
                "{} It is in the account {}, in which no provider of this stack works; it stays noted.",
                stays(&note),
                note.account
            ),
            Err(Trouble::State(error)) => return Err(error.into()),
            Err(Trouble::Iam(error)) => format!("{} {error}", stays(&note)).replace("..", "."),
        };
        terminal.tell(&format!("{text}\n"));
    }
    Ok(ledger)
}

async fn tidy(ledger: &mut Ledger, sessions: &Sessions, note: &Note) -> Result<Option<Tidied>, Trouble> {
    let Some(session) = session_of(sessions, &note.account) else { return Ok(None) };
    let clients: &Clients = session.clients()?;
    ledger.tidy(clients, note).await.map(Some)
}

fn done(note: &Note, tidied: &Tidied) -> String {
    let user = &note.user;
    match tidied {
        Tidied::Removed(id) => {
            format!(
                "The temporary access key {id} of the user `{user}` was left over from a command that died. It is removed."
            )
        }
        Tidied::NotThere => {
            format!(
                "A command that died was about to make or remove a temporary access key of the user `{user}`. There is none."
            )
        }
        Tidied::Unclear(ids) => format!(
            "A command that died made a temporary access key of the user `{user}`, and it can't be told which one: {}. None was \
             touched; remove the one that nobody knows.",
            ids.join(", ")
        ),
    }
}

fn stays(note: &Note) -> String {
    let id = note.id.as_deref().map(|id| format!(" {id}")).unwrap_or_default();
    let user = &note.user;
    format!(
        "The temporary access key{id} of the user `{user}` was left over from a command that died, and could not be removed."
    )
}

/// What went wrong with a temporary key.
pub fn told(trouble: Trouble, doing: &str) -> Problem {
    match trouble {
        Trouble::State(error) => error.into(),
        Trouble::Iam(error) => {
            let mut diagnostic = Diagnostic::error(
                "temporary-key",
                "Temporary access key",
                format!("Could not {doing}. {error}.").replace("..", "."),
            );
            diagnostic.hints.extend(error.hints.iter().cloned());
            diagnostic.into()
        }
    }
}
