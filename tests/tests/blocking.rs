//! The blocking client, which runs on its own thread, inside and outside of a runtime.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use inngest_core::blocking::Client;
use inngest_core::testing::{EventApi, Fault};
use inngest_core::{Batch, SendError, batch};
use inngest_tests::{AccountLinked, CheckoutCompleted, ItemViewed, Script, Step};
use tokio::runtime::{self, Runtime};

/// Starts an Event API, and returns it with the runtime that it runs on.
fn api() -> (EventApi, Runtime) {
    let mut builder = runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(1).enable_all().build().expect("a runtime");
    (runtime.block_on(EventApi::start()), runtime)
}

fn client_of(api: &EventApi) -> Client {
    let client = inngest_core::Client::builder().no_env().dev(true).base_url(api.url()).build();
    Client::new(client.expect("a client")).expect("a thread")
}

#[test]
fn it_sends_without_a_runtime() {
    let (api, _runtime) = api();
    let client = client_of(&api);
    let id = client.send(CheckoutCompleted::of("c1")).expect("an id");
    let ids = client.send_all(ItemViewed::many(3)).expect("ids");
    let mixed = batch![CheckoutCompleted::of("c2"), ItemViewed::number(9)].expect("a batch");
    let more = client.send_batch(&mixed).expect("ids");
    let returned = [vec![id], ids, more.clone()].concat();
    let stored: Vec<String> = api.events().into_iter().map(|event| event.id.to_string()).collect();
    assert_eq!(stored, returned.iter().map(ToString::to_string).collect::<Vec<_>>());
    assert_eq!(
        client.send_batch(&mixed).expect("ids"),
        more,
        "a batch sent again has the same ids"
    );
}

#[test]
fn it_returns_the_errors_of_the_async_client() {
    let (api, _runtime) = api();
    let client = client_of(&api);
    api.fail_next(Fault::status(401));
    let error = client.send(ItemViewed::number(1)).expect_err("a refused key");
    client.send_batch(&error.into_unsent()).expect("an id");
    let error = client.send(AccountLinked { account: 1 << 60 }).expect_err("unsafe");
    assert!(matches!(error, SendError::Event(_)));
    let error = client.send_all(["a", "", "b"].map(CheckoutCompleted::of)).expect_err("blank");
    assert_eq!((error.accepted().len(), error.rejected()[0].0), (2, 1));
}

#[test]
fn many_threads_share_one_client() {
    let (api, _runtime) = api();
    let client = client_of(&api);
    thread::scope(|scope| {
        for number in 0..8 {
            let client = client.clone();
            scope.spawn(move || client.send(ItemViewed::number(number)).expect("an id"));
        }
    });
    assert_eq!(api.events().len(), 8);
}

#[tokio::test]
async fn it_blocks_without_a_panic_inside_a_runtime() {
    let (api, runtime) = thread::spawn(api).join().expect("no panic");
    let client = client_of(&api);
    client.send(ItemViewed::number(1)).expect("an id");
    let inner = client.clone();
    let task = tokio::task::spawn_blocking(move || inner.send(ItemViewed::number(2)).is_ok());
    assert!(task.await.expect("no panic"));
    drop(client);
    assert_eq!(api.events().len(), 2);
    // A runtime must not be dropped inside another one.
    thread::spawn(move || drop(runtime)).join().expect("no panic");
}

#[test]
fn the_thread_ends_when_the_last_clone_is_dropped() {
    let script = Script::new([Step::AcceptAfter(Duration::from_millis(1))]);
    let alive = Arc::new(());
    let hook = Arc::clone(&alive);
    let builder = script.builder().after_send(move |_| assert!(Arc::strong_count(&hook) > 0));
    let client = Client::new(builder.build().expect("a client")).expect("a thread");
    let clone = client.clone();
    client.send(ItemViewed::number(1)).expect("an id");
    drop(client);
    clone.send(ItemViewed::number(2)).expect("an id");
    drop(clone);
    assert_eq!(Arc::strong_count(&alive), 1);
    drop(Client::new(script.client()).expect("a thread"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_can_be_built_used_and_dropped_inside_a_multi_thread_runtime() {
    let (api, runtime) = thread::spawn(api).join().expect("no panic");
    let client = client_of(&api);
    let tasks = (0..4).map(|number| {
        let client = client.clone();
        // This blocks a worker of the runtime, which the documentation warns of.
        tokio::spawn(async move { client.send_all([ItemViewed::number(number)]).is_ok() })
    });
    let tasks: Vec<_> = tasks.collect();
    drop(client);
    for task in tasks {
        assert!(task.await.expect("no panic"));
    }
    assert_eq!(api.events().len(), 4);
    thread::spawn(move || drop(runtime)).join().expect("no panic");
}

#[test]
fn before_send_and_trace_context_run_on_the_calling_thread() {
    let caller = thread::current().id();
    let script = Script::new([]);
    let builder = script.builder().before_send(move |_, envelope| {
        assert_eq!(thread::current().id(), caller);
        envelope.session("request", "r1");
    });
    let builder = builder.trace_context(move || {
        assert_eq!(thread::current().id(), caller);
        Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned())
    });
    let client = Client::new(builder.build().expect("a client")).expect("a thread");
    client.send(ItemViewed::number(1)).expect("an id");
    let request = &script.requests()[0].http;
    assert!(request.headers().contains_key("traceparent"));
    let body = String::from_utf8_lossy(request.body());
    assert!(body.contains(r#""sessions":{"request":"r1"}"#), "{body}");
}

#[test]
fn a_recorder_reports_the_line_that_called_the_blocking_client() {
    let (_, recorder) = inngest_core::Client::recorder();
    let client = Client::new(recorder.builder().build().expect("a client")).expect("a thread");
    client.send(ItemViewed::number(1)).expect("an id");
    let line = line!() - 1;
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| recorder.nothing_else()));
    let panic = panic.expect_err("an unexpected event");
    let text = panic.downcast_ref::<String>().expect("a panic message");
    assert!(text.contains(&format!("tests/blocking.rs:{line}")), "{text}");
}

#[test]
fn a_hook_that_calls_its_own_client_gets_its_events_back_instead_of_a_deadlock() {
    use std::sync::{Mutex, OnceLock};
    static CLIENT: OnceLock<Client> = OnceLock::new();
    static RETURNED: Mutex<Vec<Batch>> = Mutex::new(Vec::new());

    let builder = Script::new([]).builder().after_send(|_| {
        let client = CLIENT.get().expect("a client");
        let single = client.send(ItemViewed::number(2)).expect_err("a deadlock");
        assert_eq!(single.cause().expect("a cause").kind(), "deadline_exceeded");
        let many = client.send_all(ItemViewed::many(3)).expect_err("a deadlock");
        assert_eq!(many.unsent(), [0, 1, 2]);
        let unsent = many.into_unsent();
        let resent = client.send_batch(&unsent).expect_err("a deadlock");
        assert_eq!(resent.unsent(), [0, 1, 2]);
        *RETURNED.lock().expect("no panic") = vec![single.into_unsent(), unsent];
    });
    let client = Client::new(builder.build().expect("a client")).expect("a thread");
    CLIENT.set(client.clone()).expect("once");
    client.send(ItemViewed::number(1)).expect("an id");
    let returned = std::mem::take(&mut *RETURNED.lock().expect("no panic"));
    assert_eq!(returned.iter().map(Batch::len).collect::<Vec<_>>(), [1, 3]);
}

/// What is logged while `call` runs on this thread.
fn logged(call: impl FnOnce()) -> String {
    #[derive(Clone, Default)]
    struct Log(Arc<std::sync::Mutex<Vec<u8>>>);
    impl std::io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("no panic in a log").write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone());
    tracing::subscriber::with_default(subscriber.finish(), call);
    let bytes = log.0.lock().expect("no panic in a log").clone();
    String::from_utf8(bytes).expect("Unicode")
}

#[test]
fn a_call_in_async_code_logs_one_warning_per_client() {
    let (api, runtime) = api();
    let warning = "a blocking client was called in async code";
    let local = runtime::Builder::new_current_thread().build().expect("a runtime");
    let client = client_of(&api);
    let clone = client.clone();
    let text = logged(|| {
        local.block_on(async {
            client.send(ItemViewed::number(1)).expect("an id");
            client.send_all(ItemViewed::many(2)).expect("ids");
            clone.send(ItemViewed::number(2)).expect("an id");
        });
    });
    assert_eq!(text.matches(warning).count(), 1, "{text}");
    assert!(text.contains("WARN") && text.contains("spawn_blocking"), "{text}");
    let another = client_of(&api);
    let text = logged(|| local.block_on(async { drop(another.send(ItemViewed::number(3))) }));
    assert_eq!(text.matches(warning).count(), 1, "{text}");
    drop(runtime);
}

#[test]
fn a_call_outside_of_async_code_logs_no_warning() {
    let (api, runtime) = api();
    let client = client_of(&api);
    let send =
        |client: &Client| logged(|| drop(client.send(ItemViewed::number(1)).expect("an id")));
    // Without a runtime, with the context of one, and where a runtime lets code block.
    assert_eq!(send(&client), "");
    let context = runtime.enter();
    assert_eq!(send(&client), "");
    drop(context);
    let inner = client.clone();
    let blocking = runtime.spawn_blocking(move || send(&inner));
    assert_eq!(runtime.block_on(blocking).expect("no panic"), "");
    let inner = client.clone();
    let task = runtime.spawn(async move { tokio::task::block_in_place(|| send(&inner)) });
    assert_eq!(runtime.block_on(task).expect("no panic"), "");
}

#[test]
fn the_async_client_without_a_runtime_panics_with_what_it_needs() {
    use std::future::Future as _;
    use std::task::{Context, Waker};

    let http = inngest_core::Client::builder().no_env().dev(true).build().expect("a client");
    for client in [http, Script::new([]).client()] {
        let call = client.send(ItemViewed::number(1));
        let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let mut context = Context::from_waker(Waker::noop());
            std::pin::pin!(call).poll(&mut context).is_ready()
        }));
        let panic = panic.expect_err("no runtime");
        let text = panic.downcast_ref::<&str>().expect("a text");
        assert!(text.contains("inngest_core::Client needs a tokio runtime"), "{text}");
        assert!(text.contains("inngest_core::blocking::Client"), "{text}");
    }
}
