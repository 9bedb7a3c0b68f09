//! The functions that events start.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use inngest_core::Event;
use inngest_core::testing::{EventApi, Run, RunState};
use serde_json::json;

use super::{CartFilled, ShopOpened, cart, post, post_seeded};

#[tokio::test]
async fn a_function_runs_once_for_each_dedup_id() {
    let api = EventApi::start().await;
    let received = Arc::new(Mutex::new(Vec::new()));
    let carts = Arc::clone(&received);
    api.on("email", move |event: Event<CartFilled>| {
        carts.lock().unwrap().push(event.data.cart);
        async {}
    });
    api.on::<CartFilled>("stock", |_| async {});

    let client = api.client();
    for name in ["a", "b", "a"] {
        client.send(cart(name)).await.unwrap();
    }
    api.idle().await;

    assert_eq!(*received.lock().unwrap(), ["a", "b"]);
    assert_eq!(api.events().len(), 3, "a duplicate is stored");
    for function in ["email", "stock"] {
        let runs = api.runs_of(function);
        let ids: Vec<_> = runs.iter().map(|run| run.dedup_id.as_str()).collect();
        assert_eq!(ids, ["cart-filled-a", "cart-filled-b"]);
        assert!(runs.iter().all(|run| run.state == RunState::Done));
    }
    assert_eq!(api.runs().len(), 4);
    assert_eq!(api.runs()[0].event_id, api.events()[0].id);
}

#[tokio::test]
async fn neither_the_name_nor_the_payload_is_part_of_the_dedup_key() {
    let api = EventApi::start().await;
    api.on::<CartFilled>("audit", |_| async {});
    api.on::<ShopOpened>("audit", |_| async {});
    api.on::<ShopOpened>("greet", |_| async {});
    let answer = post(
        &api,
        &json!([
            {"name": "shop/cart.filled", "id": "one", "data": {"cart": "a"}},
            {"name": "shop/cart.filled", "id": "one", "data": {"cart": "b"}},
            {"name": "shop/opened", "id": "one"},
        ]),
    )
    .await;
    api.idle().await;
    assert_eq!(answer["status"], 200);
    assert_eq!((api.runs_of("audit").len(), api.runs_of("greet").len()), (1, 1));
}

#[tokio::test]
async fn a_dedup_id_is_forgotten_24_hours_after_its_first_event() {
    let api = EventApi::start().await;
    api.on::<CartFilled>("email", |_| async {});
    let client = api.client();
    let mut runs = Vec::new();
    for hours in [0, 23, 2, 23] {
        api.advance(Duration::from_secs(hours * 60 * 60));
        client.send(cart("a")).await.unwrap();
        runs.push(api.runs().len());
    }
    assert_eq!(runs, [1, 1, 2, 2]);
}

#[tokio::test]
async fn an_event_without_a_dedup_id_is_deduplicated_by_its_inngest_id() {
    let api = EventApi::start().await;
    api.on::<ShopOpened>("greet", |event| async move {
        assert_eq!(event.given_id(), Some("01HF7YAT000000000000000001"));
    });
    let seed = "1700000000000,AAAAAAAAAAAAAA==";
    for _ in 0..2 {
        let answer = post_seeded(&api, &json!({"name": "shop/opened"}), seed).await;
        assert_eq!(answer["ids"], json!(["01HF7YAT000000000000000001"]));
    }
    api.idle().await;
    assert_eq!(api.events().len(), 2);
    assert_eq!(api.runs().len(), 1);
    assert_eq!(api.runs()[0].state, RunState::Done);
    assert_eq!(api.events_of::<ShopOpened>()[0].given_id(), None);
}

#[tokio::test]
async fn failed_runs_have_their_error() {
    let api = EventApi::start().await;
    api.on::<CartFilled>("refuse", |_| async { Err::<(), _>("out of stock") });
    api.on::<CartFilled>("panic", |event| async move { panic!("no cart {}", event.data.cart) });
    post(&api, &json!({"name": "shop/cart.filled", "data": {"cart": "a"}})).await;
    post(&api, &json!({"name": "shop/cart.filled", "data": {"basket": "a"}})).await;
    api.idle().await;

    let failed = |function: &str, run: usize| match &api.runs_of(function)[run].state {
        RunState::Failed(reason) => reason.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(failed("refuse", 0), "out of stock");
    assert_eq!(failed("panic", 0), "panicked: no cart a");
    let undecodable =
        "the data of `shop/cart.filled` does not decode as `CartFilled`: missing field `cart`";
    assert_eq!(failed("refuse", 1), undecodable);
    assert_eq!(failed("panic", 1), undecodable);
}

#[tokio::test]
async fn idle_waits_for_the_functions_that_are_running() {
    let api = EventApi::start().await;
    let (finish, finished) = tokio::sync::oneshot::channel::<()>();
    let finished = Mutex::new(Some(finished));
    api.on("slow", move |_: Event<ShopOpened>| finished.lock().unwrap().take().unwrap());
    api.idle().await;
    api.client().send(ShopOpened).await.unwrap();

    let idle = tokio::time::timeout(Duration::from_millis(20), api.idle()).await;
    assert!(idle.is_err());
    assert_eq!(api.runs()[0].state, RunState::Running);
    finish.send(()).unwrap();
    api.idle().await;
    assert_eq!(api.runs()[0].state, RunState::Done);
}

#[tokio::test]
async fn a_failed_function_is_retried_until_it_succeeds() {
    let api = EventApi::start().await;
    let calls = AtomicU32::new(0);
    api.on("charge", move |event: Event<CartFilled>| {
        let call = calls.fetch_add(1, Ordering::Relaxed);
        async move {
            assert_eq!(event.given_id(), Some("cart-filled-a"));
            match call {
                0 => Err("the bank is closed"),
                1 => panic!("the bank is on fire"),
                _ => Ok(()),
            }
        }
    });
    api.client().send(cart("a")).await.unwrap();
    api.idle().await;

    let [run] = &api.runs()[..] else { panic!("{:?}", api.runs()) };
    assert_eq!((&run.state, run.attempts), (&RunState::Done, 3));
    assert_eq!(run.errors, ["the bank is closed", "panicked: the bank is on fire"]);
}

#[tokio::test]
async fn a_function_is_retried_four_times_or_as_set() {
    let api = EventApi::start().await;
    for function in ["default", "once", "twice"] {
        api.on::<CartFilled>(function, |_| async { Err::<(), _>("no") });
    }
    api.retries("once", 0);
    api.retries("twice", 1);
    api.client().send(cart("a")).await.unwrap();
    post(&api, &json!({"name": "shop/cart.filled", "data": {}})).await;
    api.idle().await;
    for (function, attempts) in [("default", 5), ("once", 1), ("twice", 2)] {
        let runs = api.runs_of(function);
        assert_eq!((runs[0].attempts, runs[0].errors.len()), (attempts, attempts as usize));
        assert_eq!(runs[0].state, RunState::Failed("no".to_owned()));
        assert_eq!(runs[1].attempts, 1, "an event that does not decode is not retried");
    }
}

#[tokio::test]
#[should_panic(expected = "no function named `mail` is registered")]
async fn setting_the_retries_of_an_unknown_function_panics() {
    let api = EventApi::start().await;
    api.on::<CartFilled>("email", |_| async {});
    api.retries("mail", 0);
}

const HOUR: Duration = Duration::from_secs(60 * 60);

#[tokio::test]
async fn an_event_in_the_future_starts_functions_when_the_clock_reaches_it() {
    let api = EventApi::start().await;
    let log = Arc::new(Mutex::new(Vec::new()));
    let carts = Arc::clone(&log);
    api.on("remind", move |event: Event<CartFilled>| {
        carts.lock().unwrap().push(event.data.cart);
        async {}
    });
    let client = api.client();
    let now = SystemTime::now();
    for (name, time) in
        [("b", now + 2 * HOUR), ("a", now + HOUR), ("now", now), ("past", now - HOUR)]
    {
        client.send(Event::new(cart(name)).at(time)).await.unwrap();
    }
    api.idle().await;
    assert_eq!(*log.lock().unwrap(), ["now", "past"]);
    let state = |run: &Run| (run.state.clone(), run.attempts);
    assert_eq!(state(&api.runs()[0]), (RunState::Scheduled, 0));

    api.advance(HOUR / 2);
    api.idle().await;
    assert_eq!(log.lock().unwrap().len(), 2);
    api.advance(2 * HOUR);
    api.idle().await;
    assert_eq!(*log.lock().unwrap(), ["now", "past", "a", "b"]);
    assert!(api.runs().iter().all(|run| state(run) == (RunState::Done, 1)));
}

#[tokio::test]
async fn a_scheduled_function_starts_without_advance_when_its_time_comes() {
    let api = EventApi::start().await;
    let (sender, mut starts) = tokio::sync::mpsc::unbounded_channel();
    api.on("remind", move |_: Event<ShopOpened>| {
        sender.send(SystemTime::now()).unwrap();
        async {}
    });
    let time = SystemTime::now() + Duration::from_millis(60);
    api.client().send(Event::new(ShopOpened).at(time)).await.unwrap();
    let start = tokio::time::timeout(Duration::from_secs(10), starts.recv()).await;
    assert!(start.unwrap().unwrap() >= time - Duration::from_millis(1));
}

#[tokio::test]
async fn a_scheduled_run_occupies_its_dedup_id() {
    let api = EventApi::start().await;
    api.on::<CartFilled>("remind", |_| async {});
    let client = api.client();
    client.send(Event::new(cart("a")).at(SystemTime::now() + HOUR)).await.unwrap();
    client.send(cart("a")).await.unwrap();
    api.idle().await;
    assert_eq!(api.runs().len(), 1);
    assert_eq!(api.runs()[0].state, RunState::Scheduled);
}

#[test]
fn the_clock_can_be_advanced_from_any_thread() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let api = runtime.block_on(async {
        let api = EventApi::start().await;
        api.on::<ShopOpened>("open", |_| async { tokio::task::yield_now().await });
        let event = Event::new(ShopOpened).at(SystemTime::now() + HOUR);
        api.client().send(event).await.unwrap();
        api
    });
    api.advance(HOUR);
    runtime.block_on(api.idle());
    assert_eq!(api.runs()[0].state, RunState::Done);
}

#[tokio::test]
async fn idle_waits_for_events_sent_by_functions_and_for_retries() {
    let api = EventApi::start().await;
    let client = api.client();
    let calls = AtomicU32::new(0);
    api.on("open", move |_: Event<ShopOpened>| {
        let client = client.clone();
        async move { client.send(cart("a")).await.map(drop).map_err(|error| error.to_string()) }
    });
    api.on("fill", move |_: Event<CartFilled>| {
        let call = calls.fetch_add(1, Ordering::Relaxed);
        async move {
            tokio::time::sleep(Duration::from_millis(5)).await;
            if call < 3 { Err("not yet") } else { Ok(()) }
        }
    });
    api.client().send(ShopOpened).await.unwrap();
    api.idle().await;
    assert_eq!(api.runs_of("open")[0].state, RunState::Done);
    assert_eq!(
        (&api.runs_of("fill")[0].state, api.runs_of("fill")[0].attempts),
        (&RunState::Done, 4)
    );
}

#[tokio::test]
async fn cleared_runs_continue() {
    let api = EventApi::start().await;
    let done = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&done);
    api.on("remind", move |_: Event<CartFilled>| {
        let call = count.fetch_add(1, Ordering::Relaxed);
        async move { if call == 0 { Err("not yet") } else { Ok(()) } }
    });
    let client = api.client();
    client.send(Event::new(cart("a")).at(SystemTime::now() + HOUR)).await.unwrap();
    api.clear();
    client.send(cart("b")).await.unwrap();
    api.idle().await;
    api.advance(HOUR);
    api.idle().await;
    assert_eq!(done.load(Ordering::Relaxed), 3);
    let [run] = &api.runs()[..] else { panic!("{:?}", api.runs()) };
    assert_eq!((run.dedup_id.as_str(), run.attempts), ("cart-filled-b", 2));
}
