//! A graceful shutdown: on SIGTERM, a web service finishes its requests, sends the events that they published, and
//! writes the events that it cannot send to a file. The next process sends the file's events, with the same ids.
//!
//! With a Dev Server, run the service. The tests need no server:
//!
//! ```text
//! INNGEST_DEV=1 cargo run -p inngest-recipes --example shutdown
//! cargo test -p inngest-recipes --example shutdown
//! ```
//!
//! Then send it a request, and the signal, with the process id that it prints:
//!
//! ```text
//! curl -X POST http://127.0.0.1:3000/views/1
//! kill -TERM 4711
//! ```
//!
//! | variable | default | meaning |
//! |---|---|---|
//! | `ADDRESS` | `127.0.0.1:3000` | the address that the service listens on |
//! | `LEFT_OVER_FILE` | `left-over.json` | the file, which no other process uses, on a disk that outlives the process |
//! | `CLOSE_SECONDS` | `10` | how long the service tries to send the queued events |
//!
//! The sum of the constant `DRAIN` (10 s) and `CLOSE_SECONDS` must be shorter than the time after which the process is
//! killed: Kubernetes kills it after `terminationGracePeriodSeconds`, by default 30 s.

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use std::{env, process};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use inngest_core::publisher::{DeliveryError, PublishError, Publisher, Receipt, Undelivered};
use inngest_core::{Batch, Client, InngestEvent};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::sync::Notify;

#[derive(Serialize, Deserialize, InngestEvent)]
#[inngest(name = "shop/item.viewed")]
struct ItemViewed {
    item: u32,
    note: String,
}

/// How long requests can take to finish after the signal.
const DRAIN: Duration = Duration::from_secs(10);

/// Publishes a view, with the body as its note. It waits neither for Inngest nor for capacity in the queue.
async fn view(
    State(publisher): State<Publisher>,
    Path(item): Path<u32>,
    note: String,
) -> StatusCode {
    match publisher.try_publish(ItemViewed { item, note }) {
        Ok(_receipt) => StatusCode::ACCEPTED,
        Err(PublishError::Event(_)) => StatusCode::BAD_REQUEST,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn app(publisher: Publisher) -> Router {
    Router::new().route("/views/{item}", post(view)).with_state(publisher)
}

/// Returns a future that waits for SIGTERM or Ctrl-C. From this call on, the signals no longer end the process at once.
#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = ()> + Send> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn stop_signal() -> io::Result<impl Future<Output = ()> + Send> {
    Ok(async { drop(tokio::signal::ctrl_c().await) })
}

/// Serves until the signal, and then until every request is finished or `DRAIN` is over.
async fn serve(
    listener: TcpListener,
    publisher: Publisher,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let draining = Arc::new(Notify::new());
    let stopped = Arc::clone(&draining);
    let signal = async move {
        stop.await;
        stopped.notify_one();
    };
    let drained = async {
        draining.notified().await;
        tokio::time::sleep(DRAIN).await;
    };
    tokio::select! {
        result = axum::serve(listener, app(publisher)).with_graceful_shutdown(signal) => result,
        () = drained => {
            eprintln!("requests are still in progress after {DRAIN:?}");
            Ok(())
        }
    }
}

/// The file of the events that a process could not send before it ended.
#[derive(Clone)]
struct LeftOver(PathBuf);

impl LeftOver {
    fn read(&self) -> Result<Option<Batch>, String> {
        let in_file = |error: &dyn Error| format!("{}: {error}", self.0.display());
        match fs::read(&self.0) {
            Ok(json) => serde_json::from_slice(&json).map(Some).map_err(|error| in_file(&error)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(in_file(&error)),
        }
    }

    /// Replaces the file. A process that is killed here leaves the previous file.
    fn write(&self, events: &Batch) -> io::Result<()> {
        let new = self.0.with_extension("new");
        let mut file = File::create(&new)?;
        file.write_all(&serde_json::to_vec(events)?)?;
        file.sync_all()?;
        fs::rename(new, &self.0)
    }

    /// Removes the file as soon as all of its events have been sent, so that no later process sends them again: Inngest
    /// deduplicates by an id for 24 hours only.
    async fn remove_when_sent(self, receipts: Vec<Receipt>) -> io::Result<()> {
        for receipt in receipts {
            let delivery = receipt.delivered().await;
            if let Err(DeliveryError::Closed | DeliveryError::KeyRefused(_)) = delivery {
                return Ok(());
            }
        }
        fs::remove_file(self.0)
    }
}

/// Logs events that are not sent again: Inngest rejected them, or they failed with an error that is not transient.
fn log_undelivered(undelivered: &Undelivered) {
    log_events(&undelivered.events);
    eprintln!("because of {:?} {:?}", undelivered.cause, undelivered.rejections);
}

fn log_events(events: &Batch) {
    for event in events.events() {
        eprintln!("not sent: {}", event.json());
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let setting = |name: &str, default: &str| env::var(name).unwrap_or_else(|_| default.to_owned());
    let left_over = LeftOver(setting("LEFT_OVER_FILE", "left-over.json").into());
    let close_within = Duration::from_secs(setting("CLOSE_SECONDS", "10").parse()?);

    let stop = stop_signal()?;
    let client = Client::from_env()?;
    let publisher = client.publisher().on_undelivered(|left| log_undelivered(&left)).start();
    let mut receipts = Vec::new();
    if let Some(batch) = left_over.read()? {
        println!("sending {} events of the previous process", batch.len());
        receipts = publisher.publish_batch(batch).await?;
    }
    let has_file = !receipts.is_empty();
    let sent = has_file.then(|| tokio::spawn(left_over.clone().remove_when_sent(receipts)));

    let listener = TcpListener::bind(setting("ADDRESS", "127.0.0.1:3000")).await?;
    println!("process {}: listening on http://{}", process::id(), listener.local_addr()?);
    // The requests are finished first, so that no handler publishes after `close`.
    serve(listener, publisher.clone(), stop).await?;

    let report = publisher.close(close_within).await;
    let removed = match sent {
        Some(sent) => sent.await,
        None => Ok(Ok(())),
    };
    if !report.undelivered.is_empty() {
        // The report includes the events of the previous file that are not sent yet, so the file can be replaced.
        left_over.write(&report.undelivered).inspect_err(|_| log_events(&report.undelivered))?;
    }
    removed??;
    println!("{} events delivered, {} left over", report.delivered, report.undelivered.len());
    Ok(())
}

#[cfg(all(test, unix))]
mod test_process;

#[cfg(all(test, unix))]
mod tests {
    use std::collections::BTreeSet;
    use std::process::{ExitStatus, Stdio};

    use inngest_core::reqwest;
    use inngest_core::testing::{EventApi, Fault};
    use tokio::io::{
        AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, Lines,
    };
    use tokio::net::TcpStream;
    use tokio::process::{Child, ChildStdout};

    use super::*;

    /// The service in its own process.
    struct Service {
        process: Child,
        output: Lines<BufReader<ChildStdout>>,
        address: String,
    }

    impl Service {
        async fn start(api: &EventApi, left_over: &LeftOver, close_seconds: u32) -> Service {
            let mut process = test_process::main_process()
                .env("ADDRESS", "127.0.0.1:0")
                .env("LEFT_OVER_FILE", &left_over.0)
                .env("CLOSE_SECONDS", close_seconds.to_string())
                .env("INNGEST_DEV", api.url())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut output = BufReader::new(process.stdout.take().unwrap()).lines();
            let address = loop {
                let line = output.next_line().await.unwrap().expect("a running service");
                if let Some((_, address)) = line.split_once("listening on http://") {
                    break address.to_owned();
                }
            };
            Service { process, output, address }
        }

        async fn view(&self, item: u32) {
            let url = format!("http://{}/views/{item}", self.address);
            let response = reqwest::Client::new().post(url).body("a note").send().await.unwrap();
            assert_eq!(response.status(), 202);
        }

        async fn terminate(&self) {
            let id = self.process.id().expect("a running service").to_string();
            let kill = tokio::process::Command::new("kill").args(["-TERM", &id]).status();
            assert!(kill.await.unwrap().success());
        }

        /// Waits until the service no longer accepts connections.
        async fn wait_until_draining(&self) {
            while TcpStream::connect(&self.address).await.is_ok() {
                tokio::task::yield_now().await;
            }
        }

        /// Returns the exit status, and the line that counts the events.
        async fn end(mut self) -> (ExitStatus, String) {
            let mut count = String::new();
            while let Some(line) = self.output.next_line().await.unwrap() {
                if line.contains("events delivered") {
                    count = line;
                }
            }
            (self.process.wait().await.unwrap(), count)
        }
    }

    /// A file in a new temporary directory.
    fn left_over_file(name: &str) -> LeftOver {
        let directory = env::temp_dir().join(format!("inngest-shutdown-{}-{name}", process::id()));
        fs::create_dir_all(&directory).unwrap();
        LeftOver(directory.join("left-over.json"))
    }

    fn items(api: &EventApi) -> BTreeSet<u32> {
        api.events_of::<ItemViewed>().iter().map(|event| event.data.item).collect()
    }

    #[test]
    #[ignore = "the process of the service, which the other tests start"]
    fn process() {
        main().unwrap();
    }

    #[tokio::test]
    async fn every_accepted_request_reaches_inngest_after_sigterm() {
        let api = EventApi::start().await;
        let file = left_over_file("sent");
        let service = Service::start(&api, &file, 60).await;
        // The queue is full of events when the signal arrives.
        api.fault_when(|_| Some(Fault::status(503)));
        for item in 0..50 {
            service.view(item).await;
        }
        // A request whose body has been sent by half.
        let mut slow = TcpStream::connect(&service.address).await.unwrap();
        let head = "POST /views/50 HTTP/1.1\r\nhost: shop\r\ncontent-length: 10\r\n";
        slow.write_all(format!("{head}expect: 100-continue\r\n\r\n").as_bytes()).await.unwrap();
        // The service responds with `100 Continue` once the handler reads the body.
        let mut begin = [0; 25];
        slow.read_exact(&mut begin).await.unwrap();
        assert_eq!(&begin, b"HTTP/1.1 100 Continue\r\n\r\n");
        slow.write_all(b"half ").await.unwrap();

        service.terminate().await;
        service.wait_until_draining().await;
        assert_eq!(items(&api).len(), 0);
        slow.write_all(b"a note").await.unwrap();
        let mut response = String::new();
        slow.read_to_string(&mut response).await.unwrap();
        assert!(response.starts_with("HTTP/1.1 202"), "{response}");
        api.clear_faults();

        let (status, count) = service.end().await;
        assert_eq!(status.code(), Some(0));
        assert_eq!(count, "51 events delivered, 0 left over");
        assert_eq!(items(&api), (0..51).collect());
        assert!(!file.0.exists());
        fs::remove_dir_all(file.0.parent().unwrap()).unwrap();
    }

    #[tokio::test]
    async fn what_is_left_over_is_sent_once_by_the_next_process() {
        let api = EventApi::start().await;
        api.on("count", |_: inngest_core::Event<ItemViewed>| async {});
        // Inngest accepts the events, but no response arrives.
        api.fault_when(|_| Some(Fault::status(503).after_accepting()));
        let file = left_over_file("left");
        let service = Service::start(&api, &file, 1).await;
        for item in 0..20 {
            service.view(item).await;
        }
        service.terminate().await;
        let (status, count) = service.end().await;
        assert_eq!(status.code(), Some(0));
        assert_eq!(count, "0 events delivered, 20 left over");

        let batch = file.read().unwrap().expect("the file");
        let names: Vec<_> = batch.events().map(|event| event.name()).collect();
        assert_eq!(names, vec!["shop/item.viewed"; 20]);

        // A process that ends before it can send these events stores them again, with the ones that it has published.
        let service = Service::start(&api, &file, 1).await;
        service.view(20).await;
        service.terminate().await;
        let (status, count) = service.end().await;
        assert_eq!(status.code(), Some(0));
        assert_eq!(count, "0 events delivered, 21 left over");

        api.clear_faults();
        let service = Service::start(&api, &file, 60).await;
        service.view(21).await;
        // The file is removed when its events are sent, not when the process ends.
        while file.0.exists() {
            tokio::task::yield_now().await;
        }
        service.terminate().await;
        let (status, count) = service.end().await;
        assert_eq!(status.code(), Some(0));
        assert_eq!(count, "22 events delivered, 0 left over");

        api.idle().await;
        assert_eq!(api.runs_of("count").len(), 22, "one for each event");
        assert_eq!(items(&api), (0..22).collect());
        fs::remove_dir_all(file.0.parent().unwrap()).unwrap();
    }
}
