//! Surroundings that are against us: an AWS that refuses or fails, locks that others hold, a sandbox in use.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use terrane_state::{Backend, Local, LockInfo};

use crate::stack::{Ran, Stack};

/// Something on loopback that answers each request alike, or never. Its thread ends with the process.
pub struct Server {
    pub url: String,
    called: Receiver<()>,
}

impl Server {
    /// Answers with this status and body.
    pub fn answering(status: &'static str, body: &'static str) -> Server {
        Server::new(move |mut stream| {
            read_request(&mut stream);
            let length = body.len();
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\nContent-Type: text/xml\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            );
        })
    }

    /// Takes calls and never answers.
    pub fn silent() -> Server {
        let mut kept = Vec::new();
        Server::new(move |stream| kept.push(stream))
    }

    fn new(mut serve: impl FnMut(TcpStream) + Send + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (tell, called) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let _ = tell.send(());
                serve(stream);
            }
        });
        Server { url, called }
    }

    pub fn wait_for_a_caller(&self) {
        self.called.recv_timeout(Duration::from_secs(60)).unwrap();
    }
}

/// Reads head and body of a request.
fn read_request(stream: &mut TcpStream) {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 || line == "\r\n" {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    let mut body = vec![0; length];
    let _ = reader.read_exact(&mut body);
}

const USER: &str =
    "[provider.aws]\nregion = \"eu-west-3\"\nmax_retries = 1\n\n[resource.aws_iam_user.a]\nname = \"a\"\n";

fn planned_against(server: &Server) -> Ran {
    let stack = Stack::of(USER);
    let mut command = stack.command(&["plan"]);
    command
        .env("AWS_ENDPOINT_URL", &server.url)
        .env("AWS_ACCESS_KEY_ID", "x")
        .env("AWS_SECRET_ACCESS_KEY", "x");
    Ran::of(command.output().unwrap())
}

#[test]
fn aws_denies() {
    let body = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>User x is not authorized to perform: \
                sts:GetCallerIdentity</Message></Error><RequestId>r-1</RequestId></ErrorResponse>";
    let ran = planned_against(&Server::answering("403 Forbidden", body));
    ran.failed_with("Permission denied");
    assert!(ran.err.contains("User x is not authorized"), "{}", ran.err);
}

#[test]
fn aws_does_not_know_the_credentials() {
    let body = "<ErrorResponse><Error><Code>InvalidClientTokenId</Code><Message>The security token included in the \
                request is invalid.</Message></Error><RequestId>r-2</RequestId></ErrorResponse>";
    planned_against(&Server::answering("403 Forbidden", body)).failed_with("Credentials not accepted");
}

#[test]
fn aws_throttles() {
    let body = "<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error>\
                <RequestId>r-3</RequestId></ErrorResponse>";
    planned_against(&Server::answering("400 Bad Request", body)).failed_with("Too many requests");
}

#[test]
fn aws_fails() {
    let ran = planned_against(&Server::answering("500 Internal Server Error", "<html>oops</html>"));
    ran.failed_with("Service not reachable or failing");
}

const DATA: &str = "[resource.terraform_data.a]\ninput = 1\n";

fn local(stack: &Stack) -> Local {
    Local::new(&stack.path().join("state"), None, "default").unwrap()
}

#[test]
fn a_living_process_has_the_lock() {
    let stack = Stack::of(DATA);
    let mut other = local(&stack);
    let info = LockInfo {
        id: "lock-1".into(),
        who: "ann@box".into(),
        operation: "apply".into(),
        ..LockInfo::default()
    };
    other.lock(&info).unwrap();
    let ran = stack.run(&["plan"]);
    ran.failed_with("State locked");
    assert!(ran.err.contains("ann@box") && ran.err.contains("force-unlock lock-1"), "{}", ran.err);
    let ran = stack.run(&["apply", "-auto-approve", "-lock-timeout=1s"]);
    ran.failed_with("State locked");
    assert!(ran.err.contains("Waiting for it..."), "{}", ran.err);
    stack.run(&["force-unlock", "--force", "lock-1"]).failed_with("Lock left in place");
    assert_eq!(stack.run(&["plan", "-lock=false"]).code, Some(0));
    assert_eq!(stack.run(&["state", "list"]).code, Some(0), "looking needs no lock");
    other.unlock().unwrap();
    assert_eq!(stack.run(&["plan"]).code, Some(0));
}

#[test]
fn a_dead_process_left_its_lock() {
    let stack = Stack::of(DATA);
    let info = r#"{"ID":"lock-2","Operation":"OperationTypeApply","Who":"ann@box","Created":"2026-01-31T12:00:00Z"}"#;
    stack.write("state/.default.tfstate.lock.info", info);
    let ran = stack.run(&["plan"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(
        ran.err.contains("The lock of ann@box") && ran.err.contains("a process that died"),
        "{}",
        ran.err
    );
    stack.write("state/.default.tfstate.lock.info", info);
    stack.run(&["force-unlock", "--force", "lock-3"]).failed_with("Lock left in place");
    assert!(stack.run(&["force-unlock", "--force", "lock-2"]).out.contains("ann@box"));
    stack.run(&["force-unlock", "--force", "lock-2"]).failed_with("Lock left in place");
}

#[test]
fn the_sandbox_is_in_use() {
    let stack = Stack::of(USER);
    let folder = stack.path().join(".terrane/sandbox");
    let open = terrane_sandbox::Sandbox::open(&folder, terrane_sandbox::Options::default()).unwrap();
    stack.run(&["plan", "--sandbox"]).failed_with("Sandbox in use");
    stack.run(&["sandbox", "reset", "--force"]).failed_with("Sandbox in use");
    drop(open);
    assert_eq!(stack.run(&["plan", "--sandbox"]).code, Some(0));
    assert_eq!(stack.run(&["sandbox", "reset", "--force"]).code, Some(0));
    assert!(!folder.exists());
}

#[test]
fn the_folder_of_the_state_can_only_be_read() {
    let stack = Stack::of(DATA);
    assert_eq!(stack.run(&["apply", "-auto-approve"]).code, Some(0));
    let before = stack.read("state/default.tfstate");
    let folder = stack.path().join("state");
    let chmod =
        |mode: &str| assert!(Command::new("chmod").arg(mode).arg(&folder).status().unwrap().success());
    chmod("0555");
    let by_root = std::fs::File::create(folder.join("probe")).is_ok();
    stack.write("terrane.toml", "[resource.terraform_data.a]\ninput = 2\n");
    let ran = stack.run(&["apply", "-auto-approve"]);
    chmod("0755");
    if by_root {
        // Root writes wherever it likes; there is nothing to see.
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        return;
    }
    ran.failed_with("State not accessible");
    assert_eq!(stack.read("state/default.tfstate"), before);
}

#[test]
fn other_programs_are_served() {
    let host = Stack::of(USER);
    let mut command = host.command(&["sandbox", "serve", "--port", "0"]);
    let mut serving = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(serving.stdout.take().unwrap());
    let mut first = String::new();
    out.read_line(&mut first).unwrap();
    let url = first.trim().rsplit(' ').next().unwrap().to_owned();
    assert!(url.starts_with("http://127.0.0.1:"), "{first}");
    let guest = Stack::of(USER);
    let over_http = |arguments: &[&str]| {
        let mut command = guest.command(arguments);
        command
            .env("AWS_ENDPOINT_URL", &url)
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test");
        let ran = Ran::of(command.output().unwrap());
        assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
        ran.out
    };
    assert!(over_http(&["apply", "-auto-approve"]).contains("Apply complete! Resources: 1 added"));
    assert!(over_http(&["plan"]).contains("No changes."));
    assert!(over_http(&["destroy", "-auto-approve"]).contains("Destroy complete! Resources: 1 destroyed."));
    assert!(Command::new("kill").args(["-TERM", &serving.id().to_string()]).status().unwrap().success());
    assert_eq!(serving.wait().unwrap().code(), Some(0));
}
