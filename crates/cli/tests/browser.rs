//! The page of a plan in a real browser: `TERRANE_BROWSER` names a Chromium. Without it these tests say that they were
//! skipped; `.ci/run` sets it where there is one.
//!
//! The browser is spoken to over two pipes, so that there is no port; nothing that it is asked to open is on a network.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use crate::stack::Stack;

const PATIENCE: Duration = Duration::from_secs(60);

struct Browser {
    child: Child,
    to: File,
    from: Receiver<Json>,
    session: Option<String>,
    asked: u64,
    events: Vec<Json>,
    _folder: tempfile::TempDir,
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Browser {
    /// Nothing when there is no browser.
    fn start() -> Option<Browser> {
        let Some(program) = std::env::var_os("TERRANE_BROWSER").filter(|program| !program.is_empty()) else {
            eprintln!("SKIPPED: no browser; TERRANE_BROWSER names a Chromium");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let (to, from) = (folder.path().join("to"), folder.path().join("from"));
        assert!(Command::new("mkfifo").args([&to, &from]).status().unwrap().success());
        let child = Command::new("sh")
            .args(["-c", r#"exec "$0" "$@" 3<"$TO" 4>"$FROM""#])
            .arg(program)
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--remote-debugging-pipe",
                "--no-first-run",
            ])
            .args(["--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND"])
            .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
            .env("TO", &to)
            .env("FROM", &from)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let to = File::options().write(true).open(to).unwrap();
        let answers = BufReader::new(File::open(from).unwrap());
        let (sender, from) = channel();
        std::thread::spawn(move || {
            for message in answers.split(0).map_while(Result::ok) {
                let Ok(message) = serde_json::from_slice(&message) else { return };
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        let mut browser =
            Browser { child, to, from, session: None, asked: 0, events: vec![], _folder: folder };
        let target = browser.ask("Target.createTarget", json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let session = browser.ask("Target.attachToTarget", attach);
        browser.session = session["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.ask(&format!("{domain}.enable"), json!({}));
        }
        Some(browser)
    }

    fn ask(&mut self, method: &str, params: Json) -> Json {
        self.asked += 1;
        let mut message = json!({ "id": self.asked, "method": method, "params": params });
        if let Some(session) = &self.session {
            message["sessionId"] = session.as_str().into();
        }
        self.to.write_all(format!("{message}\0").as_bytes()).unwrap();
        loop {
            let answer = self.from.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no answer to {method}"));
            if answer["id"] == self.asked {
                assert!(answer.get("error").is_none(), "{method}: {answer}");
                return answer["result"].clone();
            }
            self.events.push(answer);
        }
    }

    fn open(&mut self, url: &str, width: u32, scheme: &str) {
        let metrics = json!({ "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false });
        self.ask("Emulation.setDeviceMetricsOverride", metrics);
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.ask("Emulation.setEmulatedMedia", media);
        self.events.clear();
        self.ask("Page.navigate", json!({ "url": url }));
        while !self.events.iter().any(|event| event["method"] == "Page.loadEventFired") {
            let event = self.from.recv_timeout(PATIENCE).unwrap();
            self.events.push(event);
        }
    }

    /// The value of an expression in the page.
    fn value(&mut self, expression: &str) -> Json {
        let asked = json!({ "expression": expression, "returnByValue": true });
        let answer = self.ask("Runtime.evaluate", asked);
        assert!(answer.get("exceptionDetails").is_none(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// Waits for a value that comes with an event.
    fn until(&mut self, expression: &str, wanted: u64) {
        let begun = Instant::now();
        while self.value(expression) != wanted {
            assert!(begun.elapsed() < PATIENCE, "{expression} does not become {wanted}");
        }
    }

    fn press(&mut self, key: &str, text: &str) {
        self.ask("Input.dispatchKeyEvent", json!({ "type": "keyDown", "key": key, "text": text }));
        self.ask("Input.dispatchKeyEvent", json!({ "type": "keyUp", "key": key }));
    }

    /// What a page must never cause: errors, messages on the console, requests for anything but itself.
    fn complaints(&self) -> Vec<&Json> {
        let wrong = |event: &&Json| match event["method"].as_str() {
            Some("Runtime.exceptionThrown" | "Log.entryAdded" | "Runtime.consoleAPICalled") => true,
            Some("Network.requestWillBeSent") => event["params"]["type"] != "Document",
            _ => false,
        };
        self.events.iter().filter(wrong).collect()
    }
}

const SPEC: &str = r#"
[provider.aws]
region  = "eu-west-3"
sandbox = true

[variable.password]
type      = "string"
default   = "hunter2"
sensitive = true

[resource.aws_dynamodb_table.notes]
name         = "notes"
billing_mode = "PAY_PER_REQUEST"
hash_key     = "Id"
attribute    = [{ name = "Id", type = "S" }]

[resource.terraform_data.a]
input = "${aws_dynamodb_table.notes.arn}"

[resource.terraform_data.secret]
input = "${var.password}"

[resource.terraform_data.kept]
input = 1
"#;

/// The page of a plan that replaces, updates, destroys and creates.
fn stack_with_page() -> Stack {
    let stack = Stack::of(SPEC);
    assert_eq!(stack.run(&["apply", "--auto-approve"]).code, Some(0));
    let spec = SPEC
        .replace(r#"hash_key     = "Id""#, r#"hash_key     = "Key""#)
        .replace(r#"name = "Id""#, r#"name = "Key""#)
        .replace(
            "[resource.terraform_data.a]\ninput = ",
            "[resource.terraform_data.a]\ninput = \"1\"\ntriggers_replace = ",
        )
        .replace("[resource.terraform_data.secret]\n", "[resource.terraform_data.next]\n");
    stack.write("terrane.toml", &spec);
    let page = stack.run(&["plan", "--out", "p.tfplan", "--format", "html"]);
    assert_eq!(page.code, Some(0), "{}", page.err);
    stack.write("page.html", &page.out);
    stack
}

fn address(stack: &Stack) -> String {
    format!("file://{}", stack.path().canonicalize().unwrap().join("page.html").display())
}

const ROWS: &str = "document.querySelectorAll('tr.item:not([hidden])').length";

#[test]
fn a_page_works_in_a_browser() {
    let Some(mut browser) = Browser::start() else { return };
    let stack = stack_with_page();
    browser.open(&address(&stack), 1200, "light");
    assert_eq!(browser.value("document.title"), "Terrane plan");
    let all = browser.value(ROWS).as_u64().unwrap();
    assert!(all >= 4, "{all}");
    let source = browser.value("document.documentElement.outerHTML");
    assert!(!source.as_str().unwrap().contains("hunter2"));

    // The keyboard alone: find, take the filter back, filter by an action.
    browser.press("/", "/");
    assert_eq!(browser.value("document.activeElement.type"), "search");
    for letter in "notes".chars() {
        let letter = letter.to_string();
        browser.press(&letter, &letter);
    }
    assert_eq!(browser.value(ROWS), 1);
    assert_eq!(browser.value("document.querySelectorAll('svg.graph .box:not(.faint)').length"), 1);
    browser.press("Escape", "");
    assert_eq!(browser.value(ROWS), all);
    browser.value("document.querySelector('[data-filter=destroy]').focus()");
    browser.press("Enter", "\r");
    assert_eq!(browser.value("document.activeElement.getAttribute('aria-pressed')"), "true");
    assert_eq!(browser.value(ROWS), 1);
    browser.press("Escape", "");

    // A box of the graph opens the details of its object.
    assert_eq!(browser.value("document.querySelectorAll('svg.graph .lines path').length"), 1);
    browser.value("document.querySelector('svg.graph .box a').focus()");
    browser.press("Enter", "\r");
    browser.until("document.querySelectorAll('details.item[open]').length", 1);
    let before = browser.value("document.querySelector('.view').getAttribute('transform')");
    browser.value("document.querySelector('.canvas').focus()");
    browser.press("+", "+");
    assert_ne!(browser.value("document.querySelector('.view').getAttribute('transform')"), before);
    assert_eq!(browser.complaints(), Vec::<&Json>::new());
}

#[test]
fn a_page_fits_a_telephone_in_the_dark() {
    let Some(mut browser) = Browser::start() else { return };
    let stack = stack_with_page();
    let background = "getComputedStyle(document.body).backgroundColor";
    browser.open(&address(&stack), 360, "light");
    let light = browser.value(background);
    browser.value("document.querySelectorAll('details').forEach((details) => { details.open = true; })");
    let width = browser.value("document.documentElement.scrollWidth").as_u64().unwrap();
    assert!(width <= 360, "{width}");
    browser.open(&address(&stack), 360, "dark");
    assert_ne!(browser.value(background), light);
    assert_eq!(browser.complaints(), Vec::<&Json>::new());
}

const ACCESS: &str = r#"
[provider.aws]
region  = "eu-west-3"
sandbox = true

[resource.aws_dynamodb_table.notes]
name         = "notes"
billing_mode = "PAY_PER_REQUEST"
hash_key     = "Id"
attribute    = [{ name = "Id", type = "S" }]

[resource.aws_iam_user.ann]
name = "ann"

[resource.aws_iam_user_policy.ann]
name   = "own"
user   = "${aws_iam_user.ann.name}"
policy = """{"Version":"2012-10-17","Statement":[
  {"Effect":"Allow","Action":"dynamodb:GetItem","Resource":"*"},
  {"Effect":"Allow","Action":"dynamodb:PutItem","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}]}"""
"#;

#[test]
fn the_matrix_of_access_works_in_a_browser() {
    let Some(mut browser) = Browser::start() else { return };
    let stack = Stack::of(ACCESS);
    let page = stack.run(&["access", "matrix", "--format", "html"]);
    assert_eq!(page.code, Some(0), "{}", page.err);
    stack.write("page.html", &page.out);
    for (width, scheme) in [(1200, "light"), (360, "dark")] {
        browser.open(&address(&stack), width, scheme);
        assert_eq!(browser.value("document.title"), "Terrane access · account 123456789012");
        // The user's two answers on the table, and the root user's on the table and on the user.
        assert_eq!(browser.value(ROWS), 4);
        browser.press("/", "/");
        for letter in "putitem".chars() {
            let letter = letter.to_string();
            browser.press(&letter, &letter);
        }
        assert_eq!(browser.value(ROWS), 2);
        browser.press("Escape", "");
        browser.value("document.querySelector('[data-filter=depends]').focus()");
        browser.press("Enter", "\r");
        assert_eq!(browser.value(ROWS), 1);
        let row = "document.querySelector('tr.item:not([hidden])').innerText";
        let row = browser.value(row).as_str().unwrap().to_owned();
        assert!(row.contains("aws_iam_user.ann") && row.contains("aws:SourceIp"), "{row}");
        browser.press("Escape", "");
        let over = browser.value("document.documentElement.scrollWidth").as_u64().unwrap();
        assert!(over <= u64::from(width), "{over}");
        assert_eq!(browser.complaints(), Vec::<&Json>::new());
    }
}

#[test]
fn nothing_from_outside_gets_into_a_page() {
    let Some(mut browser) = Browser::start() else { return };
    let stack = stack_with_page();
    // What a reader's browser would do if something had got in after all: its own policy refuses.
    let page = fs::read_to_string(stack.path().join("page.html")).unwrap();
    let foreign =
        "<script>document.title = 'taken over'</script><img src=\"https://evil.example/x.png\"></main>";
    stack.write("page.html", &page.replace("</main>", foreign));
    browser.open(&address(&stack), 800, "light");
    assert_eq!(browser.value("document.title"), "Terrane plan");
    let sent = browser.events.iter().filter(|event| event["method"] == "Network.responseReceived");
    assert!(sent.into_iter().all(|event| event["params"]["type"] == "Document"));
}
