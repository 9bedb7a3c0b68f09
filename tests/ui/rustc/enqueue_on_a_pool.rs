//! An event is enqueued on a pool, by reference or mutable reference.

use inngest_core::InngestEvent;
use inngest_core::outbox::Outbox;
use sqlx08::PgPool;
use serde::Serialize;

#[derive(Serialize, InngestEvent)]
#[inngest(name = "shop/order.placed")]
struct OrderPlaced {
    order_id: String,
}

async fn place(outbox: Outbox, mut pool: PgPool, order_id: String) {
    outbox.enqueue(&mut pool, OrderPlaced { order_id }).await.unwrap();
}

async fn import(outbox: Outbox, mut pool: PgPool, orders: Vec<OrderPlaced>) {
    outbox.enqueue_all(&mut pool, &orders).await.unwrap();
}

async fn place_on_a_shared_pool(outbox: Outbox, pool: &PgPool, order_id: String) {
    outbox.enqueue(pool, OrderPlaced { order_id }).await.unwrap();
}

async fn place_on_a_borrowed_pool(outbox: Outbox, pool: PgPool, order_id: String) {
    outbox.enqueue(&pool, OrderPlaced { order_id }).await.unwrap();
}

fn main() {}
