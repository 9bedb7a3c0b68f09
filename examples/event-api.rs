//! An Event API for tests of programs in any language: a server on a local port that responds as
//! Inngest's Dev Server does, stores events only in memory, and prints each event that it accepts.
//!
//! ```text
//! cargo run --example event-api -- --port 8288
//! ```

use std::io::{self, ErrorKind, Write};
use std::net::Ipv4Addr;
use std::process::ExitCode;

use inngest_core::testing::{EventApi, Fault, StoredEvent};
use serde_json::json;

const HELP: &str = "\
An Event API for tests, in memory, that responds as Inngest's Dev Server does.

Usage: cargo run --example event-api -- [OPTIONS]

  --port PORT          Listen on this port of 127.0.0.1; 0 for a free port [default: 8288]
  --json               Print JSON lines: {\"url\": ..} first, then {\"event\": {..}} for each accepted event
  --accept-key KEY     Respond with 401 to other keys; can be repeated [default: any key is accepted]
  --fail-first STATUS  Respond to the first request with STATUS, such as 503, and print {\"failed\": 503}
  --help               Print this help

Set INNGEST_DEV=http://127.0.0.1:8288 in the program under test. Ctrl-C stops the server.
";

struct Options {
    port: u16,
    json: bool,
    accept_keys: Vec<String>,
    fail_first: Option<u16>,
    help: bool,
}

impl Options {
    fn parse(mut args: impl Iterator<Item = String>) -> Result<Options, String> {
        let mut options = Options {
            port: 8288,
            json: false,
            accept_keys: Vec::new(),
            fail_first: None,
            help: false,
        };
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or(format!("{arg} needs a value"));
            match arg.as_str() {
                "--port" => {
                    let port = value()?;
                    options.port = port.parse().map_err(|_| format!("`{port}` is not a port"))?;
                }
                "--json" => options.json = true,
                "--accept-key" => options.accept_keys.push(value()?),
                "--fail-first" => {
                    let text = value()?;
                    let status = text.parse().ok().filter(|status| (400..600).contains(status));
                    options.fail_first =
                        Some(status.ok_or(format!("`{text}` is not a status from 400 to 599"))?);
                }
                "--help" | "-h" => options.help = true,
                other => return Err(format!("`{other}` is not an option; see --help")),
            }
        }
        Ok(options)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let problem = match Options::parse(std::env::args().skip(1)) {
        Ok(options) if options.help => io::stdout().write_all(HELP.as_bytes()).err(),
        Ok(options) => serve(options).await.err(),
        Err(mistake) => Some(io::Error::new(ErrorKind::InvalidInput, mistake)),
    };
    match problem {
        // The reader of the output has closed it.
        Some(error) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Some(error) => {
            eprintln!("event-api: {error}");
            ExitCode::FAILURE
        }
        None => ExitCode::SUCCESS,
    }
}

/// Serves until the program is stopped, or its output can no longer be written.
async fn serve(options: Options) -> io::Result<()> {
    let Options { port, json, accept_keys, fail_first, .. } = options;
    let api = EventApi::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|error| {
        let hint = match error.kind() {
            ErrorKind::AddrInUse => {
                format!(
                    "port {port} is taken, perhaps by a Dev Server; choose another port with --port"
                )
            }
            _ => format!("cannot listen on port {port}: {error}"),
        };
        io::Error::new(error.kind(), hint)
    })?;
    if !accept_keys.is_empty() {
        api.accept_only_keys(accept_keys);
    }
    let mut fail_first = fail_first;
    api.fault_when(move |_| {
        let status = fail_first.take()?;
        let text = json!({ "failed": status }).to_string();
        let line = if json { text } else { format!("responded with {status}") };
        // If the output is closed, the server stops at the next event.
        writeln!(io::stdout(), "{line}").ok();
        Some(Fault::status(status))
    });

    let url = api.url();
    let line = if json { json!({ "url": url }).to_string() } else { format!("listening at {url}") };
    writeln!(io::stdout(), "{line}")?;
    for index in 0.. {
        let event = api.wait_for_event(index).await;
        let line = if json { json!({ "event": event }).to_string() } else { line_of(&event) };
        writeln!(io::stdout(), "{line}")?;
    }
    Ok(())
}

/// Formats an event on one line, cut after 200 characters.
fn line_of(event: &StoredEvent) -> String {
    let StoredEvent { id, name, data, .. } = event;
    let dedup_id = event.dedup_id.as_ref().map(|id| format!(" id={id}")).unwrap_or_default();
    let version = event.version.as_ref().map(|version| format!(" v={version}")).unwrap_or_default();
    let mut line = format!("{id} {name}{dedup_id}{version} {data}").replace(char::is_control, " ");
    if let Some((end, _)) = line.char_indices().nth(200) {
        line.truncate(end);
        line.push('…');
    }
    line
}
