//! Sends the events of a sample storefront: one event, a batch of several types, a large import, a
//! duplicate, and three events that cannot be sent.
//!
//! ```text
//! cargo run --example checkout                  sends to an Event API in this process
//! INNGEST_DEV=1 cargo run --example checkout    sends to a Dev Server
//!
//! # sends a few events to Inngest Cloud
//! INNGEST_EVENT_KEY=<event key> cargo run --example checkout -- --live
//! ```

use std::env;
use std::error::Error;
use std::fmt::{self, Display};
use std::io::{self, Write};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use inngest_core::testing::EventApi;
use inngest_core::{
    Client, ClientBuilder, Event, EventId, IdSegment, InngestEvent, RequestError, SendError, batch,
};
use serde::{Deserialize, Serialize};

// The storefront's events. In a larger project, put them into a crate of their own: defining events
// needs neither the client nor its dependencies.

#[derive(Clone, Debug, Serialize, Deserialize, InngestEvent)]
#[serde(rename_all = "camelCase")]
#[inngest(
    name = "storefront/cart.checkout.completed",
    id = "cart-checkout-completed-{cart_id}",
    version = "2026-11-01.1"
)]
struct CheckoutCompleted {
    cart_id: String,
    item_ids: Vec<String>,
    account: Account,
    total_cents: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Account {
    /// Sent as a string, since Inngest rounds integers beyond 2^53.
    #[serde(with = "inngest_core::as_string")]
    id: u64,
    email: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, InngestEvent)]
#[serde(rename_all = "camelCase")]
#[inngest(name = "storefront/coupon.redeemed", id = "coupon-redeemed-{code}-{cart_id}")]
struct CouponRedeemed {
    code: String,
    cart_id: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, InngestEvent)]
#[serde(rename_all = "camelCase")]
#[inngest(name = "storefront/customer.joined", id = "customer-joined-{number}")]
struct CustomerJoined {
    number: u64,
    email: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, InngestEvent)]
#[inngest(
    name = "storefront/item.imported",
    id = "item-imported-{import}-{sku}",
    version = "2026-09-15.2"
)]
struct ItemImported {
    import: String,
    sku: Sku,
    title: String,
    description: String,
    price_cents: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize, IdSegment)]
struct Sku(u32);

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let target = Target::from_args_and_env().await?;
    let client = target.client.clone().build()?;
    // Makes the dedup ids of this run differ from other runs.
    let run = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();

    print_title(format_args!("A sample storefront, sending to {}", target.name))?;
    send_one_event(&target, &client, format!("{run:x}a")).await?;
    send_batch(&client, format!("{run:x}b")).await?;
    send_import(&target, &client, format!("{run:x}")).await?;
    send_duplicate(&target, &client, format!("{run:x}c")).await?;
    send_invalid_events(&target, &client).await?;
    print_stored_types(&target)
}

async fn send_one_event(target: &Target, client: &Client, cart_id: String) -> Result<(), Failure> {
    print_title("One event")?;
    let checkout = checkout_of(&cart_id);
    let id = client.send(&checkout).await.map_err(|error| target.connection_failure(error))?;
    print_line("sent", format_args!("{:<36}{id}", CheckoutCompleted::NAME))?;
    target.print_function_runs(&checkout).await
}

async fn send_batch(client: &Client, cart_id: String) -> Result<(), Failure> {
    print_title("A batch of three event types")?;
    let joined = CustomerJoined { number: 4_711, email: "ada@example.com".to_owned() };
    let ten_minutes_ago = SystemTime::now() - Duration::from_secs(600);
    let coupon = CouponRedeemed { code: "ADVENT".to_owned(), cart_id: cart_id.clone() };
    let checkout = checkout_of(&cart_id);

    let batch = batch![Event::new(&joined).at(ten_minutes_ago), &coupon, &checkout]?;
    let ids = client.send_batch(&batch).await?;

    let names = [CustomerJoined::NAME, CouponRedeemed::NAME, CheckoutCompleted::NAME];
    for (name, id) in names.into_iter().zip(ids) {
        print_line("sent", format_args!("{name:<36}{id}"))?;
    }
    Ok(())
}

async fn send_import(target: &Target, client: &Client, import: String) -> Result<(), Failure> {
    let count = target.import_size;
    print_title(format_args!("{} events in one call", grouped(count)))?;
    let items = (1..=count).map(|number| ItemImported {
        import: import.clone(),
        sku: Sku(number),
        title: format!("Desk lamp No. {number}"),
        description: "Brass, with a linen shade and a switch at its foot.".to_owned(),
        price_cents: 4_900,
    });

    let start = Instant::now();
    let ids = client.send_all(items).await?;
    let elapsed = start.elapsed();

    print_line("sent", format_args!("{} events in {elapsed:.0?}", grouped(ids.len())))?;
    if let [first, .., last] = &*ids {
        print_line("event ids", format_args!("{first} to {last}"))?;
    }
    Ok(())
}

async fn send_duplicate(target: &Target, client: &Client, cart_id: String) -> Result<(), Failure> {
    print_title("One event sent twice")?;
    let checkout = checkout_of(&cart_id);
    if let Some(id) = checkout.dedup_id()? {
        print_line("dedup id", id)?;
    }
    for _ in 0..2 {
        let id = client.send(&checkout).await?;
        print_line("sent", format_args!("{:<36}{id}", CheckoutCompleted::NAME))?;
    }
    target.print_function_runs(&checkout).await
}

async fn send_invalid_events(target: &Target, client: &Client) -> Result<(), Failure> {
    print_title("Three events that cannot be sent")?;

    print_error("an empty value in the dedup id", &client.send(checkout_of("")).await)?;

    let number = 616_581_622_363_398_142;
    let joined = CustomerJoined { number, email: "grace@example.com".to_owned() };
    print_error("an integer beyond 2^53", &client.send(joined).await)?;

    let unauthorized = target.client.clone().event_key("an-expired-key").build()?;
    print_error("an unknown event key", &unauthorized.send(checkout_of("ed12c8bde")).await)
}

/// Prints the error of an event that cannot be sent.
fn print_error(problem: &str, result: &Result<EventId, SendError>) -> Result<(), Failure> {
    let text = match result {
        Ok(id) => format!("accepted as {id}: a Dev Server accepts any key"),
        Err(error) if error.is_retryable() => format!("{error} (transient: can be retried)"),
        Err(error) => error.to_string(),
    };
    writeln!(io::stdout(), "  {problem}")?;
    for text in wrapped(&text, 96) {
        writeln!(io::stdout(), "      {text}")?;
    }
    Ok(())
}

fn print_stored_types(target: &Target) -> Result<(), Failure> {
    print_title("Stored event types and versions")?;
    let Some(api) = &target.api else {
        print_line("see", &target.dashboard)?;
        return Ok(());
    };
    for stored in api.event_types() {
        let version = stored.version.unwrap_or_default();
        let text = format!("{:<36}{version:<16}{:>6}", stored.name, grouped(stored.count));
        print_line("stored", text)?;
    }
    Ok(())
}

fn checkout_of(cart_id: &str) -> CheckoutCompleted {
    CheckoutCompleted {
        cart_id: cart_id.to_owned(),
        item_ids: vec!["desk-lamp-17".to_owned(), "linen-shade-3".to_owned()],
        account: Account { id: 616_581_622_363_398_142, email: "ada@example.com".to_owned() },
        total_cents: 12_900,
    }
}

/// The server that this run sends to.
struct Target {
    name: String,
    /// The configuration of its clients.
    client: ClientBuilder,
    /// The Event API, if it runs in this process.
    api: Option<EventApi>,
    /// Where to see events and runs of a server outside of this process.
    dashboard: String,
    /// What to do if the server cannot be reached.
    advice: &'static str,
    /// The number of events in the import.
    import_size: u32,
}

impl Target {
    async fn from_args_and_env() -> Result<Target, Failure> {
        if let Some(argument) = env::args_os().nth(1) {
            if argument == "--live" {
                return Ok(Target::cloud());
            }
            let found = argument.to_string_lossy();
            return Err(Failure(format!(
                "unknown argument `{found}`; the only option is `--live`"
            )));
        }
        let dev = env::var_os("INNGEST_DEV").unwrap_or_default().to_string_lossy().into_owned();
        match dev.to_ascii_lowercase().as_str() {
            "" | "0" | "false" | "no" | "off" => Ok(Target::in_this_process().await),
            _ => Ok(Target::dev_server(&dev)),
        }
    }

    /// Starts a server with two functions and one event key.
    async fn in_this_process() -> Target {
        let api = EventApi::start().await;
        api.accept_only_keys(["the-storefronts-key"]);
        api.on("send-receipt", |checkout: Event<CheckoutCompleted>| async move {
            if checkout.data.account.email.is_empty() {
                Err("the account has no email address")
            } else {
                Ok(())
            }
        });
        api.on("reserve-stock", |checkout: Event<CheckoutCompleted>| async move {
            if checkout.data.item_ids.is_empty() { Err("the cart has no items") } else { Ok(()) }
        });
        Target {
            name: format!("an Event API in this process ({})", api.url()),
            client: Client::builder()
                .no_env()
                .dev(true)
                .base_url(api.url())
                .event_key("the-storefronts-key"),
            api: Some(api),
            dashboard: String::new(),
            advice: "Does a firewall on this machine block loopback connections?",
            import_size: 2_500,
        }
    }

    fn dev_server(inngest_dev: &str) -> Target {
        let url = if inngest_dev.contains(':') { inngest_dev } else { "http://localhost:8288" };
        Target {
            name: format!("the Dev Server of INNGEST_DEV={inngest_dev}"),
            client: Client::builder(),
            api: None,
            dashboard: format!("{}/runs", url.trim_end_matches('/')),
            advice: "Is it running? `npx inngest-cli@latest dev` starts one. Without INNGEST_DEV, this \
                     example starts a server in its own process.",
            import_size: 2_500,
        }
    }

    /// Returns Inngest Cloud, with a small import, since its events count toward the account's
    /// usage.
    fn cloud() -> Target {
        Target {
            name: "Inngest Cloud".to_owned(),
            client: Client::builder().dev(false),
            api: None,
            dashboard: "https://app.inngest.com".to_owned(),
            advice: "Is this machine connected to the internet?",
            import_size: 3,
        }
    }

    /// Prints how often each function ran for a checkout.
    async fn print_function_runs(&self, checkout: &CheckoutCompleted) -> Result<(), Failure> {
        let Some(api) = &self.api else {
            print_line("functions", format_args!("see {}", self.dashboard))?;
            return Ok(());
        };
        api.idle().await;
        let id = checkout.dedup_id()?.map(String::from).unwrap_or_default();
        for function in ["send-receipt", "reserve-stock"] {
            let runs = api.runs_of(function).iter().filter(|run| run.dedup_id == id).count();
            let ran = match runs {
                1 => "ran once".to_owned(),
                times => format!("ran {times} times"),
            };
            print_line("function", format_args!("{function:<36}{ran}"))?;
        }
        Ok(())
    }

    /// Explains why the first event could not be sent, and what to do.
    fn connection_failure(&self, error: SendError) -> Failure {
        let advice = match error.cause() {
            Some(RequestError::Connect { .. } | RequestError::Timeout { .. }) => self.advice,
            Some(RequestError::KeyRefused { .. }) => "Is INNGEST_EVENT_KEY the right one?",
            _ => "No other event was sent.",
        };
        let Failure(error) = error.into();
        Failure(format!("cannot send to {}\n  {error}\n{advice}", self.name))
    }
}

/// An error that ends the program. Its `Debug` output is the readable text, since Rust prints an
/// error that `main` returns with `Debug`.
struct Failure(String);

impl<E: Error> From<E> for Failure {
    fn from(error: E) -> Failure {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            text = format!("{text}\n  caused by: {error}");
            cause = error.source();
        }
        Failure(text)
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn print_title(text: impl Display) -> io::Result<()> {
    writeln!(io::stdout(), "\n{text}")
}

fn print_line(label: &str, text: impl Display) -> io::Result<()> {
    writeln!(io::stdout(), "  {label:<14}{text}")
}

/// Breaks `text` between words into lines of at most `width` bytes; a longer word has its own line.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.len() + 1 + word.len() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Formats a number with thousands separators: 2500 as `2,500`.
fn grouped(number: impl Display) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
