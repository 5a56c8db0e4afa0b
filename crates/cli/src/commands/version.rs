//! `terrane version`.

use serde_json::json;
use terrane_state::COMPATIBLE_VERSION;

use crate::exit::{Ended, Exit};
use crate::stack::VERSION;
use crate::terminal::Terminal;

/// The version of the AWS provider whose types are offered.
pub const PROVIDER_VERSION: &str = "5.100.0";

/// Runs the command.
pub fn run(terminal: &Terminal) -> Ended {
    let platform = format!("{}_{}", std::env::consts::OS, std::env::consts::ARCH);
    terminal.say(&match terminal.json {
        true => {
            let json = json!({
                "version": VERSION,
                "platform": platform,
                "terraform_version": COMPATIBLE_VERSION,
                "provider_selections": { "registry.terraform.io/hashicorp/aws": PROVIDER_VERSION },
            });
            format!("{json:#}\n")
        }
        false => format!(
            "Terrane v{VERSION}\non {platform}\n+ state and plan as Terraform {COMPATIBLE_VERSION}\n\
             + resource types as hashicorp/aws {PROVIDER_VERSION}\n"
        ),
    });
    Ok(Exit::Done)
}
