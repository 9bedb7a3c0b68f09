//! Serves functions with the official crate `inngest`, sends events with our client, and calls the functions with
//! these events as Inngest calls an SDK.

mod functions;
mod migration;
mod storefront;

use std::fmt::Debug;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, mpsc};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::routing::post;
use hmac::{Hmac, Mac};
use inngest::client::Inngest;
use inngest::event::Event;
use inngest::function::{FunctionOpts, Input, ServableFn, Trigger};
use inngest::handler::Handler;
use inngest::result::Error;
use inngest::serve;
use inngest_core::testing::{EventApi, StoredEvent};
use inngest_core::{Event as Sent, InngestEvent};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sha2::Sha256;

use storefront::{CouponRedeemed, OrderPlaced, ShopOpened, order};

const SIGNING_KEY: &str =
    "signkey-test-8ee2262a15e8d3c42d6a840db7af3de2aab08ef632b32a37a687f24b34dba3ff";

#[tokio::main]
async fn main() {
    let api = EventApi::start().await;
    let client = api.client();
    let order = order();
    let time = SystemTime::now();
    client.send(Sent::new(&order).at(time).session("chat", "c1")).await.unwrap();
    client.send(CouponRedeemed { code: "SPRING".into() }).await.unwrap();
    client.send(ShopOpened).await.unwrap();
    let [placed, redeemed, opened] = api.events().try_into().expect("three events were sent");

    typed_payload(&order, &placed).await;
    unit_payload(&opened).await;
    several_types(&placed, &redeemed).await;
    signed_call(&placed).await;
    migration::sends_the_same_event().await;
    println!("functions received events of 3 types as typed values, unsigned and signed");
}

/// Checks that a function receives the value that was sent, with the fields of the envelope that the crate has.
async fn typed_payload(order: &OrderPlaced, placed: &StoredEvent) {
    let app = Inngest::new("shop");
    let (function, received) = keep::<OrderPlaced>(&app);
    let url = serve(Handler::new(&app), vec![functions::pack(&app), function]).await;

    let result = call(&url, "shop-pack", placed).await;
    assert_eq!(result, (200, json!({ "order": "o1", "items": 1 })));
    let result = call(&url, "shop-keep", placed).await;
    assert_eq!(result.0, 200, "{}", result.1);
    let event = received.try_recv().expect("the function was called");
    assert_eq!(&event.data, order);
    assert_eq!(event.name, OrderPlaced::NAME);
    assert_eq!(event.id.as_deref(), Some("order-placed-o1"));
    assert_eq!(event.version.as_deref(), Some("2"));
    assert_eq!(event.timestamp, Some(placed.ts));

    // Every version of an event reaches a function, and fails if its data does not deserialize.
    let mut other = function_event(placed);
    other["data"]["totalCents"] = json!("7");
    let (status, error) = post_call(&url, "shop-keep", &body(&other), None).await;
    assert_eq!(status, 500);
    assert!(error.to_string().contains("error parsing run request"), "{error}");
    received.try_recv().expect_err("the function was not called");
}

/// Checks the event of a unit struct. The crate accepts null as its data, but not the two other forms in which Inngest
/// can pass no data. `inngest_core::Event` accepts all three.
async fn unit_payload(opened: &StoredEvent) {
    let app = Inngest::new("shop");
    let (function, received) = keep::<ShopOpened>(&app);
    let url = serve(Handler::new(&app), vec![function]).await;
    let result = call(&url, "shop-keep", opened).await;
    assert_eq!(result.0, 200, "{}", result.1);
    assert_eq!(received.try_recv().unwrap().data, ShopOpened);

    let mut empty = function_event(opened);
    empty["data"] = json!({});
    let mut missing = function_event(opened);
    missing.as_object_mut().unwrap().remove("data");
    for event in [empty, missing] {
        let (status, _) = post_call(&url, "shop-keep", &body(&event), None).await;
        assert_eq!(status, 500, "the guide states that {event} is an error");
        serde_json::from_value::<Sent<ShopOpened>>(event).unwrap();
    }
}

/// Checks functions for several types of events, which share a handler.
async fn several_types(placed: &StoredEvent, redeemed: &StoredEvent) {
    let app = Inngest::new("shop");
    let names = [OrderPlaced::NAME, CouponRedeemed::NAME];
    let functions = names.map(|name| functions::count(&app, name));
    let [order_id, coupon_id] = [functions[0].slug(), functions[1].slug()];
    let url = serve(Handler::new(&app), functions.into()).await;
    let result = call(&url, &order_id, placed).await;
    assert_eq!(result, (200, json!({ "cents": 9_007_199_254_740_991_u64 })));
    let result = call(&url, &coupon_id, redeemed).await;
    assert_eq!(result, (200, json!({ "coupon": "SPRING" })));
}

/// Checks a call by Inngest Cloud, which signs it.
async fn signed_call(placed: &StoredEvent) {
    let app = Inngest::new("shop");
    let (function, received) = keep::<OrderPlaced>(&app);
    let url = serve(Handler::new(&app).signing_key(SIGNING_KEY), vec![function]).await;
    let body = body(&function_event(placed));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();

    let (status, _) = post_call(&url, "shop-keep", &body, Some(&signature(&body, now))).await;
    assert_eq!(status, 200);
    assert_eq!(received.try_recv().unwrap().data, order());
    let wrong = signature("another body", now);
    let (status, _) = post_call(&url, "shop-keep", &body, Some(&wrong)).await;
    assert_eq!(status, 500);
    received.try_recv().expect_err("the function was not called");
}

/// Returns a function that keeps the events it receives.
fn keep<E: InngestEvent + DeserializeOwned + Debug + Send + Sync + 'static>(
    app: &Inngest,
) -> (ServableFn<E, Error>, mpsc::Receiver<Event<E>>) {
    let (sender, received) = mpsc::channel();
    let options = FunctionOpts::new("keep");
    let function =
        app.create_function(options, Trigger::event(E::NAME), move |input: Input<E>, _| {
            let sender = sender.clone();
            async move {
                assert_eq!(input.events.len(), 1);
                sender.send(input.event).ok();
                Ok(Value::Null)
            }
        });
    (function, received)
}

/// Serves `functions` on a free port, and returns the URL.
async fn serve<T>(mut handler: Handler<T, Error>, functions: Vec<ServableFn<T, Error>>) -> String
where
    T: DeserializeOwned + Debug + Send + Sync + 'static,
{
    handler.register_fns(functions);
    let route = post(serve::axum::invoke::<T, Error>);
    let router = Router::new().route("/api/inngest", route).with_state(Arc::new(handler));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}/api/inngest", listener.local_addr().unwrap());
    tokio::spawn(axum::Server::from_tcp(listener).unwrap().serve(router.into_make_service()));
    url
}

/// Returns the event as Inngest passes it to functions: its id is the dedup id, if it has one.
fn function_event(event: &StoredEvent) -> Value {
    let StoredEvent { name, data, ts, version, user, .. } = event;
    let id = event.dedup_id.as_deref().unwrap_or(event.id.as_str());
    let mut json = json!({ "name": name, "data": data, "id": id, "ts": ts, "user": user });
    if let Some(version) = version {
        json["v"] = json!(version);
    }
    if !event.sessions.is_empty() {
        json["meta"] = json!({ "sessions": event.sessions });
    }
    json
}

/// Returns the body of a call by Inngest.
fn body(event: &Value) -> String {
    let call = json!({
        "ctx": {
            "attempt": 0,
            "disable_immediate_execution": false,
            "env": "local",
            "fn_id": "01964c55-1c3d-4f4f-9d0f-6ac9c0f7b8c4",
            "run_id": "01KB0Q4V5T8ZJ6M2N3P4R5S6T7",
            "stack": { "current": 0, "stack": null },
            "step_id": "step",
            "use_api": false,
        },
        "event": event,
        "events": [event],
        "steps": {},
        "use_api": false,
        "version": 1,
    });
    call.to_string()
}

async fn call(url: &str, function: &str, event: &StoredEvent) -> (u16, Value) {
    post_call(url, function, &body(&function_event(event)), None).await
}

/// Calls a function as Inngest Cloud does if there is a signature, or else as the Dev Server does.
async fn post_call(url: &str, function: &str, body: &str, signature: Option<&str>) -> (u16, Value) {
    let url = format!("{url}?fnId={function}&stepId=step");
    let mut request = reqwest::Client::new().post(url).body(body.to_owned());
    request = request.header("content-type", "application/json");
    request = match signature {
        Some(signature) => request
            .header("x-inngest-server-kind", "cloud")
            .header("x-inngest-signature", signature),
        None => request.header("x-inngest-server-kind", "dev"),
    };
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    (status, serde_json::from_str(&response.text().await.unwrap()).unwrap())
}

/// Signs a body as Inngest does: with the part of the key after its prefix, and the time.
fn signature(body: &str, seconds: u64) -> String {
    let key = SIGNING_KEY.rsplit('-').next().unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(format!("{body}{seconds}").as_bytes());
    let hex: String =
        mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={seconds}&s={hex}")
}
