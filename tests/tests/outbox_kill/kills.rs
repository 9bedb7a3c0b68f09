//! Starts a shop, kills it, and judges the events at the end.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use inngest_core::testing::{EventApi, Fault};
use inngest_core::{Client, RetryPolicy};
use inngest_tests::ItemViewed;

use crate::database::ShopDatabase;
use crate::judgment::Judgment;

/// When a shop is killed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Step {
    /// At a random moment.
    Random,
    /// After a claim was committed.
    Claimed,
    /// After the response.
    Sent,
    /// Before a settlement.
    Settles,
    /// After a settlement was committed.
    Settled,
}

impl Step {
    pub(crate) const ALL: [Step; 5] =
        [Step::Random, Step::Claimed, Step::Sent, Step::Settles, Step::Settled];

    /// Returns the log message of the relay at this step.
    fn message(self) -> Option<&'static str> {
        match self {
            Step::Random => None,
            Step::Claimed => Some("the relay claimed a batch"),
            Step::Sent => Some("the relay sent a batch"),
            Step::Settles => Some("the relay settles a batch"),
            Step::Settled => Some("the relay settled a batch"),
        }
    }
}

pub(crate) struct Story<D> {
    api: EventApi,
    database: D,
    /// A shop that runs beside those that are killed, and is killed less often.
    second: Option<Child>,
    kills: u32,
    /// The kills at a step of the relay, and the shops that reached it.
    at_steps: [u32; 2],
}

/// Some orders have events that the server rejects.
fn is_bad(number: u32) -> bool {
    number % 53 == 17
}

impl<D: ShopDatabase> Story<D> {
    pub(crate) async fn begin(database: D) -> Story<D> {
        let api = EventApi::start().await;
        api.on::<ItemViewed>("ship", |_| async {});
        inject_faults(&api);
        Story { api, database, second: None, kills: 0, at_steps: [0, 0] }
    }

    /// Starts a shop, and kills it at `step`.
    pub(crate) async fn kill(&mut self, step: Step) {
        if D::HAS_SECOND_SHOP && self.second.is_none() {
            self.second = Some(self.command(50_000_000).spawn().expect("the shop starts"));
        }
        let mut command = self.command(0);
        if let Some(message) = step.message() {
            command.env("SHOP_HALT_AT", message);
            command.env("SHOP_HALT_AFTER", fastrand::u32(0..12).to_string());
        }
        let mut shop = command.spawn().expect("the shop starts");
        let lines = lines_of(&mut shop);
        let is_at_step = tokio::task::spawn_blocking(move || {
            if step == Step::Random {
                // Some are killed while they start.
                std::thread::sleep(Duration::from_millis(fastrand::u64(0..150)));
                return false;
            }
            assert_eq!(lines.recv().as_deref(), Ok("started"));
            // A step may not be reached, since the server fails too often.
            lines.recv_timeout(Duration::from_secs(5)).as_deref() == Ok("halted")
        });
        let is_at_step = is_at_step.await.expect("no panic");
        end(shop);
        if fastrand::u32(0..3) == 0 {
            self.end_second();
        }
        self.kills += 1;
        self.at_steps[0] += u32::from(step != Step::Random);
        self.at_steps[1] += u32::from(is_at_step);
    }

    fn end_second(&mut self) {
        if let Some(second) = self.second.take() {
            end(second);
        }
    }

    /// Returns the command of a shop whose orders begin at `base`, plus a number that grows with every
    /// kill.
    fn command(&self, base: u32) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_outbox-shop"));
        command.env("INNGEST_DEV", self.api.url()).env("SHOP_DATABASE", self.database.location());
        command.env("SHOP_FIRST", (base + self.kills * 100_000).to_string());
        command.stdout(Stdio::piped());
        command
    }

    pub(crate) async fn rewrite_seeds(&self) {
        self.database.rewrite_seeds().await;
    }

    /// Sends what is left, without faults, and judges.
    pub(crate) async fn end(&mut self) -> Judgment {
        self.end_second();
        self.api.clear_faults();
        reject_bad_events(&self.api);
        let retry = RetryPolicy::default().initial_backoff(Duration::from_millis(1));
        let retry = retry.max_backoff(Duration::from_millis(5));
        let builder = Client::builder().no_env().dev(true).base_url(self.api.url());
        let client = builder.retry(retry).build().expect("a client");
        for _ in 0..1_000 {
            if self.database.rows().await == 0 {
                break;
            }
            self.database.make_all_due().await;
            self.database.drain(&client).await.expect("a database");
        }
        assert_eq!(self.database.rows().await, 0, "the outbox is not empty");
        self.api.idle().await;
        self.database.check().await;
        let dead = self.database.dead(&client).await;
        Judgment::of(&self.api, &self.database.orders().await, &dead, is_bad)
    }

    /// Asserts that the shops were killed where they should be, and that there was something to lose.
    pub(crate) async fn assert_worth_it(&self) {
        let [kills, reached] = self.at_steps;
        assert!(reached * 4 >= kills * 3, "{reached} of {kills} reached the step");
        let committed = self.database.orders().await.len();
        assert!(committed >= self.kills as usize * 5, "{committed} orders are too few");
    }
}

/// Kills a shop.
fn end(mut shop: Child) {
    shop.kill().expect("a child");
    let status = shop.wait().expect("a child");
    assert_eq!(status.code(), None, "the shop ended by itself");
}

fn reject_bad_events(api: &EventApi) {
    api.fault_when_event(|event| {
        let number = event.data["number"].as_u64().and_then(|it| u32::try_from(it).ok());
        number.is_some_and(is_bad).then(|| Fault::refuse("there is no such item"))
    });
}

fn inject_faults(api: &EventApi) {
    reject_bad_events(api);
    api.fault_when(|_| match fastrand::u32(0..16) {
        0 => Some(Fault::drop_before_answer()),
        1 => Some(Fault::drop_within_answer()),
        2 => Some(Fault::drop_before_reading()),
        3 => Some(Fault::status(503)),
        4 => Some(Fault::status(503).after_accepting()),
        _ => None,
    });
}

/// Returns what a shop prints.
fn lines_of(shop: &mut Child) -> Receiver<String> {
    let (sender, lines) = channel();
    let output = BufReader::new(shop.stdout.take().expect("a pipe"));
    std::thread::spawn(move || {
        for line in output.lines().map_while(Result::ok) {
            drop(sender.send(line));
        }
    });
    lines
}
