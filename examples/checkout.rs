//! A storefront's evening: a checkout, a mixed batch, an import, a checkout sent twice, three mistakes.
//!
//! ```text
//! cargo run --example checkout                                  to an Event API in this process
//! INNGEST_DEV=1 cargo run --example checkout                    to a Dev Server
//! INNGEST_EVENT_KEY=.. cargo run --example checkout -- --live   to Inngest Cloud, a few events
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

// The storefront's events. In a real shop they are a crate of their own, which needs neither the
// client nor its dependencies.

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
    /// Larger than the numbers Inngest keeps, so it travels as a string.
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
    let place = Place::of_this_run().await?;
    let client = place.client.clone().build()?;
    // So that the carts of one evening are not those of another.
    let evening = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();

    title(format_args!("A storefront's evening, sent to {}", place.name))?;
    one_checkout(&place, &client, format!("{evening:x}a")).await?;
    a_mixed_batch(&client, format!("{evening:x}b")).await?;
    an_import(&place, &client, format!("{evening:x}")).await?;
    one_checkout_twice(&place, &client, format!("{evening:x}c")).await?;
    three_mistakes(&place, &client).await?;
    what_is_stored(&place)
}

async fn one_checkout(place: &Place, client: &Client, cart_id: String) -> Result<(), Failure> {
    title("One checkout")?;
    let checkout = checkout_of(&cart_id);
    let id = client.send(&checkout).await.map_err(|error| place.unreachable(error))?;
    line("sent", format_args!("{:<36}{id}", CheckoutCompleted::NAME))?;
    place.functions_run(&checkout).await
}

async fn a_mixed_batch(client: &Client, cart_id: String) -> Result<(), Failure> {
    title("A mixed batch of three")?;
    let joined = CustomerJoined { number: 4_711, email: "ada@example.com".to_owned() };
    let ten_minutes_ago = SystemTime::now() - Duration::from_secs(600);
    let coupon = CouponRedeemed { code: "ADVENT".to_owned(), cart_id: cart_id.clone() };
    let checkout = checkout_of(&cart_id);

    let batch = batch![Event::new(&joined).at(ten_minutes_ago), &coupon, &checkout]?;
    let ids = client.send_batch(&batch).await?;

    let names = [CustomerJoined::NAME, CouponRedeemed::NAME, CheckoutCompleted::NAME];
    for (name, id) in names.into_iter().zip(ids) {
        line("sent", format_args!("{name:<36}{id}"))?;
    }
    Ok(())
}

async fn an_import(place: &Place, client: &Client, import: String) -> Result<(), Failure> {
    let count = place.items_to_import;
    title(format_args!("{} imported items in one call", grouped(count)))?;
    let items = (1..=count).map(|number| ItemImported {
        import: import.clone(),
        sku: Sku(number),
        title: format!("Desk lamp No. {number}"),
        description: "Brass, with a linen shade and a switch at its foot.".to_owned(),
        price_cents: 4_900,
    });

    let start = Instant::now();
    let ids = client.send_all(items).await?;
    let took = start.elapsed();

    line("sent", format_args!("{} events in {took:.0?}", grouped(ids.len())))?;
    if let [first, .., last] = &*ids {
        line("event ids", format_args!("{first} to {last}"))?;
    }
    Ok(())
}

async fn one_checkout_twice(
    place: &Place,
    client: &Client,
    cart_id: String,
) -> Result<(), Failure> {
    title("The same checkout, sent twice")?;
    let checkout = checkout_of(&cart_id);
    if let Some(id) = checkout.dedup_id()? {
        line("dedup id", id)?;
    }
    for _ in 0..2 {
        let id = client.send(&checkout).await?;
        line("sent", format_args!("{:<36}{id}", CheckoutCompleted::NAME))?;
    }
    place.functions_run(&checkout).await
}

async fn three_mistakes(place: &Place, client: &Client) -> Result<(), Failure> {
    title("Three mistakes")?;

    told("an empty cart id", &client.send(checkout_of("")).await)?;

    let number = 616_581_622_363_398_142;
    let beyond_floats = CustomerJoined { number, email: "grace@example.com".to_owned() };
    told("an integer beyond 2^53", &client.send(beyond_floats).await)?;

    let outsider = place.client.clone().event_key("a-key-of-last-year").build()?;
    told("a key that is refused", &outsider.send(checkout_of("ed12c8bde")).await)
}

/// Says what came of a mistake.
fn told(mistake: &str, result: &Result<EventId, SendError>) -> Result<(), Failure> {
    let text = match result {
        Ok(id) => format!("accepted all the same, as {id}: a Dev Server takes any key"),
        Err(error) if error.is_retryable() => format!("{error} (worth another try)"),
        Err(error) => error.to_string(),
    };
    writeln!(io::stdout(), "  {mistake}")?;
    for part in wrapped(&text, 96) {
        writeln!(io::stdout(), "      {part}")?;
    }
    Ok(())
}

fn what_is_stored(place: &Place) -> Result<(), Failure> {
    title("Event types and versions stored")?;
    let Some(api) = &place.api else {
        line("look at", &place.dashboard)?;
        return Ok(());
    };
    for stored in api.event_types() {
        let version = stored.version.unwrap_or_default();
        let text = format!("{:<36}{version:<16}{:>6}", stored.name, grouped(stored.count));
        line("stored", text)?;
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

/// Where this run sends.
struct Place {
    name: String,
    /// For each client of it.
    client: ClientBuilder,
    /// The Event API, if it is in this process and can be looked into.
    api: Option<EventApi>,
    /// Where to see what cannot be seen here.
    dashboard: String,
    /// What to do when it does not answer.
    advice: &'static str,
    items_to_import: u32,
}

impl Place {
    async fn of_this_run() -> Result<Place, Failure> {
        if let Some(argument) = env::args_os().nth(1) {
            if argument == "--live" {
                return Ok(Place::cloud());
            }
            let found = argument.to_string_lossy();
            return Err(Failure(format!("the only argument is `--live`, found `{found}`")));
        }
        let dev = env::var_os("INNGEST_DEV").unwrap_or_default().to_string_lossy().into_owned();
        match dev.to_ascii_lowercase().as_str() {
            "" | "0" | "false" | "no" | "off" => Ok(Place::in_this_process().await),
            _ => Ok(Place::dev_server(&dev)),
        }
    }

    /// A server with two functions and one key.
    async fn in_this_process() -> Place {
        let api = EventApi::start().await;
        api.accept_only_keys(["the-storefronts-key"]);
        api.on("send-receipt", |checkout: Event<CheckoutCompleted>| async move {
            if checkout.data.account.email.is_empty() {
                Err("nobody to send it to")
            } else {
                Ok(())
            }
        });
        api.on("reserve-stock", |checkout: Event<CheckoutCompleted>| async move {
            if checkout.data.item_ids.is_empty() { Err("nothing to reserve") } else { Ok(()) }
        });
        Place {
            name: format!("an Event API in this process ({})", api.url()),
            client: Client::builder()
                .no_env()
                .dev(true)
                .base_url(api.url())
                .event_key("the-storefronts-key"),
            api: Some(api),
            dashboard: String::new(),
            advice: "Does something on this machine close loopback connections?",
            items_to_import: 2_500,
        }
    }

    fn dev_server(inngest_dev: &str) -> Place {
        let url = if inngest_dev.contains(':') { inngest_dev } else { "http://localhost:8288" };
        Place {
            name: format!("the Dev Server of INNGEST_DEV={inngest_dev}"),
            client: Client::builder(),
            api: None,
            dashboard: format!("{}/runs", url.trim_end_matches('/')),
            advice: "Is it running? `npx inngest-cli@latest dev` starts one; without INNGEST_DEV, this \
                     example brings a server of its own.",
            items_to_import: 2_500,
        }
    }

    /// Only a handful of events: here they count.
    fn cloud() -> Place {
        Place {
            name: "Inngest Cloud".to_owned(),
            client: Client::builder().dev(false),
            api: None,
            dashboard: "https://app.inngest.com".to_owned(),
            advice: "Is there a network?",
            items_to_import: 3,
        }
    }

    /// Says which functions a checkout has started.
    async fn functions_run(&self, checkout: &CheckoutCompleted) -> Result<(), Failure> {
        let Some(api) = &self.api else {
            line("functions", format_args!("see {}", self.dashboard))?;
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
            line("function", format_args!("{function:<36}{ran}"))?;
        }
        Ok(())
    }

    /// Not even the first event could be sent: what to do.
    fn unreachable(&self, error: SendError) -> Failure {
        let advice = match error.cause() {
            Some(RequestError::Connect { .. } | RequestError::Timeout { .. }) => self.advice,
            Some(RequestError::KeyRefused { .. }) => "Is INNGEST_EVENT_KEY the right one?",
            _ => "Nothing else was sent.",
        };
        let Failure(error) = error.into();
        Failure(format!("nothing reaches {}\n  {error}\n{advice}", self.name))
    }
}

/// What ends the run early, as it is told: `main` prints the `Debug` of its error.
struct Failure(String);

impl<E: Error> From<E> for Failure {
    fn from(error: E) -> Failure {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            text = format!("{text}\n  because of: {error}");
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

fn title(text: impl Display) -> io::Result<()> {
    writeln!(io::stdout(), "\n{text}")
}

fn line(label: &str, text: impl Display) -> io::Result<()> {
    writeln!(io::stdout(), "  {label:<14}{text}")
}

/// `text` in lines of at most so many characters, as far as its words allow.
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

/// 2500 as `2,500`.
fn grouped(number: impl Display) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
