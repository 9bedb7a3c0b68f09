//! An AWS Lambda function that sends events. Each execution environment has one client. The function awaits `send`
//! before it responds: Lambda freezes the process after the response, so a publisher could not send in the background.
//!
//! ```text
//! cargo test -p inngest-recipes --example lambda
//! ```
//!
//! The tests run `main` with a Runtime API on a local port. They do not test the deployment: build the binary for your
//! function's architecture, name it `bootstrap`, deploy it (`cargo lambda build --release` and `cargo lambda deploy` do
//! this), and set `INNGEST_EVENT_KEY` in the function's environment.

use std::time::{Duration, SystemTime};

use inngest_core::{Client, InngestEvent, RetryPolicy};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Lambda can invoke a function again after an error. If Inngest accepted the event of the first invocation, the dedup
/// id prevents that the second `send` starts functions again.
#[derive(Serialize, Deserialize, InngestEvent)]
#[inngest(name = "shop/order.placed", id = "order-placed-{number}")]
struct OrderPlaced {
    number: u32,
    cents: u32,
}

/// The part of an invocation's time that is kept for the response.
const RESERVE: Duration = Duration::from_millis(500);

async fn handle(client: &Client, invocation: LambdaEvent<OrderPlaced>) -> Result<Value, Error> {
    // `send` must end before the function's timeout, which stops the process without an error in the log.
    let deadline = invocation.context.deadline();
    let left = deadline.duration_since(SystemTime::now()).unwrap_or_default();
    let policy = RetryPolicy::default().total_timeout(left.saturating_sub(RESERVE));
    let id = client.with_retry(policy).send(invocation.payload).await?;
    Ok(json!({ "event": id }))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    // The client is built once per execution environment, so that the invocations share connections.
    let client = Client::from_env()?;
    lambda_runtime::run(service_fn(|invocation| handle(&client, invocation))).await
}

#[cfg(test)]
mod test_process;

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::{Instant, UNIX_EPOCH};

    use axum::body::Bytes;
    use axum::extract::{Path, State};
    use axum::http::StatusCode;
    use axum::response::IntoResponse;
    use axum::routing::{get, post};
    use axum::{Json, Router};
    use inngest_core::Event;
    use inngest_core::testing::{EventApi, Fault};
    use tokio::process::Child;
    use tokio::sync::{Mutex, mpsc};

    use super::*;

    /// An execution environment: the function's process, and the Runtime API from which it gets its invocations.
    struct Environment {
        invocations: mpsc::UnboundedSender<Invocation>,
        results: mpsc::UnboundedReceiver<(String, Result<Value, Value>)>,
        number: u32,
        process: Child,
    }

    struct Invocation {
        id: String,
        payload: Value,
        deadline: SystemTime,
    }

    #[derive(Clone)]
    struct RuntimeApi {
        invocations: Arc<Mutex<mpsc::UnboundedReceiver<Invocation>>>,
        results: mpsc::UnboundedSender<(String, Result<Value, Value>)>,
    }

    async fn next(State(api): State<RuntimeApi>) -> impl IntoResponse {
        // As Lambda's API does, this waits until there is an invocation.
        let invocation = api.invocations.lock().await.recv().await.expect("a running test");
        let deadline = invocation.deadline.duration_since(UNIX_EPOCH).unwrap().as_millis();
        let headers = [
            ("lambda-runtime-aws-request-id", invocation.id),
            ("lambda-runtime-deadline-ms", deadline.to_string()),
            ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:test".to_owned()),
        ];
        (headers, Json(invocation.payload))
    }

    async fn respond(
        State(api): State<RuntimeApi>,
        Path((id, kind)): Path<(String, String)>,
        body: Bytes,
    ) -> StatusCode {
        // The function sends JSON without a content type.
        let body = serde_json::from_slice(&body).expect("JSON");
        let result = match &*kind {
            "response" => Ok(body),
            "error" => Err(body),
            _ => return StatusCode::NOT_FOUND,
        };
        api.results.send((id, result)).expect("a running test");
        StatusCode::ACCEPTED
    }

    impl Environment {
        async fn start(api: &EventApi) -> Environment {
            let (invocations, received) = mpsc::unbounded_channel();
            let (sender, results) = mpsc::unbounded_channel();
            let runtime =
                RuntimeApi { invocations: Arc::new(Mutex::new(received)), results: sender };
            let app = Router::new()
                .route("/2018-06-01/runtime/invocation/next", get(next))
                .route("/2018-06-01/runtime/invocation/{id}/{kind}", post(respond))
                .with_state(runtime);
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap().to_string();
            tokio::spawn(axum::serve(listener, app).into_future());

            let process = test_process::main_process()
                .env("AWS_LAMBDA_RUNTIME_API", address)
                .env("AWS_LAMBDA_FUNCTION_NAME", "orders")
                .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
                .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
                .env("AWS_LAMBDA_LOG_GROUP_NAME", "orders")
                .env("AWS_LAMBDA_LOG_STREAM_NAME", "orders")
                .env("INNGEST_DEV", api.url())
                .spawn()
                .unwrap();
            Environment { invocations, results, number: 0, process }
        }

        /// Invokes the function, and returns its result or its error.
        async fn invoke(&mut self, payload: Value, timeout: Duration) -> Result<Value, Value> {
            self.number += 1;
            let id = format!("invocation-{}", self.number);
            let deadline = SystemTime::now() + timeout;
            let invocation = Invocation { id: id.clone(), payload, deadline };
            self.invocations.send(invocation).expect("a running Runtime API");
            tokio::select! {
                result = self.results.recv() => {
                    let (of, result) = result.expect("a running Runtime API");
                    assert_eq!(of, id);
                    result
                }
                () = tokio::time::sleep(Duration::from_secs(60)) => panic!("{id} has no result"),
                exit = self.process.wait() => panic!("the function's process ended: {exit:?}"),
            }
        }
    }

    #[test]
    #[ignore = "the function's process, which the other tests start"]
    fn process() {
        main().unwrap();
    }

    #[tokio::test]
    async fn each_invocation_responds_after_its_event_is_accepted() {
        let api = EventApi::start().await;
        let mut environment = Environment::start(&api).await;
        for number in 0..3 {
            let order = json!({ "number": number, "cents": 4900 });
            let result = environment.invoke(order, Duration::from_secs(30)).await;
            let events = api.events();
            assert_eq!(events.len(), usize::try_from(number + 1).unwrap());
            assert_eq!(result, Ok(json!({ "event": events.last().unwrap().id })));
        }
    }

    #[tokio::test]
    async fn an_invocation_ends_before_its_timeout_and_its_repetition_runs_no_function_twice() {
        let api = EventApi::start().await;
        api.on("send-receipt", |_: Event<OrderPlaced>| async {});
        let mut environment = Environment::start(&api).await;
        let order = json!({ "number": 1, "cents": 4900 });
        // After the first invocation, the process has started and has a connection.
        let first = environment.invoke(json!({ "number": 0, "cents": 0 }), Duration::from_secs(30));
        first.await.unwrap();

        // Inngest accepts the event, but no response arrives.
        api.fault_when(|_| Some(Fault::status(503).after_accepting()));
        let started = Instant::now();
        let timeout = Duration::from_secs(2);
        let error = environment.invoke(order.clone(), timeout).await.unwrap_err();
        assert!(started.elapsed() < timeout, "{:?}", started.elapsed());
        let message = error["errorMessage"].as_str().unwrap();
        assert!(message.contains("temporarily unavailable (503)"), "{message}");

        api.clear_faults();
        environment.invoke(order, Duration::from_secs(30)).await.unwrap();
        api.idle().await;
        assert_eq!(api.runs_of("send-receipt").len(), 2, "one for each order");
    }
}
