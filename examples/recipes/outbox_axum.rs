//! A web service with axum, sqlx and PostgreSQL: a request writes an order and its event in one transaction, and a
//! relay in the same process sends the event. The tests need PostgreSQL, but no Dev Server.
//!
//! ```text
//! DATABASE_URL=postgres://.. cargo run -p inngest-recipes --example outbox-axum
//! INNGEST_TEST_DATABASE_URL=postgres://.. cargo test -p inngest-recipes --example outbox-axum
//! ```
//!
//! It creates the tables of the outbox and a table `orders`, if they are missing. `INNGEST_EVENT_KEY` or
//! `INNGEST_DEV=1` configures the client. Then send a request:
//!
//! ```text
//! curl -X POST http://127.0.0.1:3000/orders -H 'content-type: application/json' -d '{"number": 1, "cents": 4900}'
//! ```

use std::env;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use inngest_core::outbox::{EnqueueError, Outbox, PostgresStore};
use inngest_core::{Client, InngestEvent};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;

#[derive(Serialize, Deserialize, InngestEvent)]
#[inngest(name = "shop/order.placed", id = "order-placed-{number}")]
struct OrderPlaced {
    number: i64,
    cents: i64,
}

#[derive(Clone)]
struct App {
    db: PgPool,
    outbox: Outbox,
}

/// Writes an order and its event in one transaction. It does not wait for Inngest.
async fn place(
    State(app): State<App>,
    Json(order): Json<OrderPlaced>,
) -> Result<StatusCode, Error> {
    let mut tx = app.db.begin().await?;
    sqlx::query("INSERT INTO orders (number, cents) VALUES ($1, $2)")
        .bind(order.number)
        .bind(order.cents)
        .execute(&mut *tx)
        .await?;
    app.outbox.enqueue(&mut tx, &order).await?;
    tx.commit().await?;
    app.outbox.wake();
    Ok(StatusCode::CREATED)
}

/// The error of a request, as an HTTP status.
struct Error(StatusCode);

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Error {
        match error.as_database_error() {
            Some(error) if error.is_unique_violation() => Error(StatusCode::CONFLICT),
            _ => Error(StatusCode::INTERNAL_SERVER_ERROR),
        }
    }
}

impl From<EnqueueError<sqlx::Error>> for Error {
    fn from(error: EnqueueError<sqlx::Error>) -> Error {
        match error {
            EnqueueError::Database(error) => error.into(),
            _ => Error(StatusCode::BAD_REQUEST),
        }
    }
}

impl axum::response::IntoResponse for Error {
    fn into_response(self) -> axum::response::Response {
        self.0.into_response()
    }
}

fn app(db: PgPool, outbox: Outbox) -> Router {
    Router::new().route("/orders", post(place)).with_state(App { db, outbox })
}

async fn create_tables(db: &PgPool) -> Result<PostgresStore, Box<dyn std::error::Error>> {
    let store = PostgresStore::new(db.clone());
    store.migrate().await?;
    sqlx::query(
        "CREATE TABLE IF NOT EXISTS orders (number bigint PRIMARY KEY, cents bigint NOT NULL)",
    )
    .execute(db)
    .await?;
    Ok(store)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = env::var("DATABASE_URL")
        .map_err(|_| "set DATABASE_URL to postgres://user@host/database")?;
    let db = PgPool::connect(&url).await?;
    let store = create_tables(&db).await?;
    let client = Client::from_env()?;
    let outbox = Outbox::for_client(&client);
    let relay = outbox.relay(&client, store).start().await?;

    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app(db, outbox))
        // Also wait for SIGTERM, if your processes are stopped with it.
        .with_graceful_shutdown(async { drop(tokio::signal::ctrl_c().await) })
        .await?;
    // The relay is closed after the last request, so that it can still send the request's event.
    let report = relay.close(Duration::from_secs(10)).await;
    println!("{} events delivered, {} left", report.delivered, report.left + report.released);
    Ok(())
}

#[cfg(test)]
mod test_schema;

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::http::Request;
    use tower::ServiceExt as _;

    async fn post_order(app: &Router, order: &OrderPlaced) -> StatusCode {
        let request = Request::post("/orders").header("content-type", "application/json");
        let request = request.body(Body::from(serde_json::to_vec(order).unwrap())).unwrap();
        app.clone().oneshot(request).await.unwrap().status()
    }

    #[tokio::test]
    async fn an_order_sends_its_event_and_a_refused_one_does_not() {
        let Some(schema) = test_schema::TestSchema::create().await else { return };
        let db = PgPool::connect_with(schema.options()).await.unwrap();
        let store = create_tables(&db).await.unwrap();
        let (client, sent) = Client::recorder();
        let outbox = Outbox::for_client(&client);
        let app = app(db.clone(), outbox.clone());

        let order = OrderPlaced { number: 1, cents: 4_900 };
        assert_eq!(post_order(&app, &order).await, StatusCode::CREATED);
        assert_eq!(post_order(&app, &order).await, StatusCode::CONFLICT);

        let report = outbox.relay(&client, store).drain().await.unwrap();
        assert_eq!((report.delivered, report.dead, report.left), (1, 0, 0));
        sent.one_like(order);
        sent.nothing_else();
        schema.remove().await;
    }
}
