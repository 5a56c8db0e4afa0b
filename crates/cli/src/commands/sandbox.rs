//! `terrane sandbox serve` and `reset`: the embedded AWS of a stack for other programs, and how to begin anew.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use terrane_model::Diagnostic;
use terrane_reconcile::Stop;
use terrane_sandbox::Options;
use tokio::net::TcpListener;

use crate::exit::{Ended, Exit, Problem};
use crate::hardships;
use crate::session::{SANDBOX_FOLDER, SANDBOX_IN_USE, folder_organization, open_sandbox};
use crate::signals;
use crate::terminal::Terminal;
use crate::work::block_on;

/// Serves until it is interrupted.
pub fn serve(port: u16, test_key: bool, terminal: &Terminal) -> Ended {
    let organization = folder_organization()?;
    let options = Options { test_credentials: test_key, organization, ..hardships::options()? };
    let sandbox = open_sandbox(options)?;
    let keys = sandbox.admin_credentials();
    let failed = |error: std::io::Error| {
        let detail = format!("The sandbox can't be served on port {port}: {error}.");
        Problem::from(
            Diagnostic::error("no-port", "Port not usable", detail).hint("`--port 0` takes a free one."),
        )
    };
    block_on(async {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let test = match test_key {
            true => "The access key `test` with the secret `test` stands for the same identity.\n",
            false => "",
        };
        terminal.say(&format!(
            "The sandbox of this stack listens on http://{address}\n\n  export AWS_ENDPOINT_URL=http://{address}\n  \
             export AWS_ACCESS_KEY_ID={}\n  export AWS_SECRET_ACCESS_KEY={}\n\n{test}Ctrl-C ends it.\n",
            keys.access_key_id, keys.secret_access_key
        ));
        let stop = Stop::default();
        signals::listen_quietly(&stop);
        terrane_sandbox::serve(sandbox, listener, async move { stop.asked().await }).await.map_err(failed)?;
        Ok(Exit::Done)
    })
}

/// Forgets everything that is in the sandbox.
pub fn reset(force: bool, terminal: &Terminal) -> Ended {
    let folder = Path::new(SANDBOX_FOLDER);
    if !folder.exists() {
        terminal.say("There is no sandbox in this folder.\n");
        return Ok(Exit::Done);
    }
    if !force {
        if !terminal.can_ask {
            let detail = "Nobody can be asked whether everything in the sandbox is to be forgotten.";
            let error = Diagnostic::error("not-approved", "Nobody to ask", detail);
            return Err(error.hint("`--force` does it without asking.").into());
        }
        let question = "Do you really want to reset the sandbox?\n  Everything in it is forgotten. The state is not \
                        touched.\n  Only 'yes' will be accepted to confirm.\n\n  Enter a value: ";
        if terminal.ask(question).is_none_or(|answer| answer.trim() != "yes") {
            terminal.say("\nReset cancelled.\n");
            return Ok(Exit::Failed);
        }
    }
    // Another process may be at work in it. A damaged one may go all the same.
    if let Some(error) = open_sandbox(Options::default()).err().filter(|error| error.code == SANDBOX_IN_USE) {
        return Err(error.into());
    }
    fs::remove_dir_all(folder).map_err(|error| {
        let detail = format!("The folder `{SANDBOX_FOLDER}` can't be removed: {error}.");
        Diagnostic::error("sandbox-unusable", "Sandbox not removable", detail)
    })?;
    terminal
        .say("The sandbox is empty. The state still names what was in it; the next plan finds it gone.\n");
    Ok(Exit::Done)
}
