//! The relay: a separate process, which this program starts with the argument `relay` and kills.

use std::env;
use std::process::Stdio;
use std::time::Duration;

use inngest_core::Client;
use inngest_core::outbox::{Outbox, RelayBuilder, Store};
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, Command};

use crate::database::Database;
use crate::failure::Failure;

/// Sets small batches, so that there are several, and a short lease, so that the batches of a killed relay are sent
/// again after 2 s. The defaults are 500 events and a minute.
pub(crate) fn options<S: Store>(relay: RelayBuilder<S>) -> RelayBuilder<S> {
    relay.batch_events(20).in_flight(4).lease(Duration::from_secs(2))
}

/// Runs a relay until its standard input ends.
pub(crate) async fn run(mut arguments: impl Iterator<Item = String>) -> Result<(), Failure> {
    let (Some(api), Some(place)) = (arguments.next(), arguments.next()) else {
        return Err(Failure::new("usage: relay <url> <file or schema>"));
    };
    let database = Database::open(&place).await?;
    // In your service, use `Client::from_env()`.
    let client = Client::builder().no_env().dev(true).base_url(api).build()?;
    match &database {
        Database::Sqlite { .. } => run_with(&client, database.sqlite_store()?).await,
        Database::Postgres { .. } => run_with(&client, database.postgres_store()?).await,
    }
}

async fn run_with<S: Store>(client: &Client, store: S) -> Result<(), Failure> {
    let outbox = Outbox::for_client(client);
    let relay = options(outbox.relay(client, store)).start().await?;
    // In your service, wait for SIGTERM.
    tokio::io::stdin().read_to_end(&mut Vec::new()).await?;
    let report = relay.close(Duration::from_secs(10)).await;
    println!("{} events delivered, {} left", report.delivered, report.left + report.released);
    Ok(())
}

/// A relay in a separate process.
pub(crate) struct RelayProcess {
    child: Child,
    id: u32,
}

impl RelayProcess {
    pub(crate) fn start(database: &Database, api: &str) -> Result<RelayProcess, Failure> {
        let mut command = Command::new(env::current_exe()?);
        command.args(["relay", api, &database.place_name()]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let child = command.spawn()?;
        let id = child.id().unwrap_or_default();
        Ok(RelayProcess { child, id })
    }

    /// Returns the number of the process.
    pub(crate) fn process(&self) -> u32 {
        self.id
    }

    /// Kills the process with SIGKILL, which it cannot handle.
    pub(crate) async fn kill(mut self) -> Result<(), Failure> {
        Ok(self.child.kill().await?)
    }

    /// Closes the relay, and returns its report.
    pub(crate) async fn close(mut self) -> Result<String, Failure> {
        drop(self.child.stdin.take());
        let output = self.child.wait_with_output().await?;
        if !output.status.success() {
            return Err(Failure::new(format!("relay {} failed", self.id)));
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }
}
