//! Serves a sandbox on a loopback port: `cargo run -p terrane-sandbox --example serve -- FOLDER [PORT]`.
//!
//! Any client that takes an endpoint can use it, with the access key id `test` or the administrator's.
#![expect(clippy::print_stdout, reason = "an example talks to the person who runs it")]

use std::error::Error;
use std::path::Path;

use terrane_sandbox::{Options, Sandbox, serve};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("name a folder for the sandbox")?;
    let port = arguments.next().map_or(Ok(0), |port| port.parse())?;
    let sandbox =
        Sandbox::open(Path::new(&folder), Options { test_credentials: true, ..Options::default() })?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("http://{}", listener.local_addr()?);
    println!("access key id: {}", sandbox.admin_credentials().access_key_id);
    let interrupted = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    serve(sandbox, listener, interrupted).await?;
    Ok(())
}
