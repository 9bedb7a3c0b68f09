//! A web service with actix-web, and its tests. Each worker has a client of its own. All workers share one publisher.
//!
//! With a Dev Server, run the service. The tests need no server:
//!
//! ```text
//! INNGEST_DEV=1 cargo run -p inngest-recipes --example actix
//! cargo test -p inngest-recipes --example actix
//! ```
//!
//! Then send it requests:
//!
//! ```text
//! curl -X POST http://127.0.0.1:3000/orders -H 'content-type: application/json' -d '{"number": 1, "cents": 4900}'
//! curl -X POST http://127.0.0.1:3000/views/1
//! ```

use std::time::Duration;

use actix_web::web::{Data, Json, Path, ServiceConfig};
use actix_web::{App, HttpResponse, HttpServer, post};
use inngest_core::publisher::Publisher;
use inngest_core::{Client, InngestEvent};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, InngestEvent)]
#[inngest(name = "shop/order.placed", id = "order-placed-{number}")]
struct OrderPlaced {
    number: u32,
    cents: u32,
}

#[derive(Serialize, Deserialize, InngestEvent)]
#[inngest(name = "shop/item.viewed")]
struct ItemViewed {
    item: u32,
}

/// Sends an event, and waits for Inngest's response.
#[post("/orders")]
async fn place(client: Data<Client>, Json(order): Json<OrderPlaced>) -> HttpResponse {
    match client.send(order).await {
        Ok(id) => HttpResponse::Accepted().json(id),
        Err(error) if error.is_retryable() => HttpResponse::ServiceUnavailable().finish(),
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}

/// Queues an event, and does not wait.
#[post("/views/{item}")]
async fn view(publisher: Data<Publisher>, item: Path<u32>) -> HttpResponse {
    match publisher.try_publish(ItemViewed { item: *item }) {
        Ok(_receipt) => HttpResponse::Accepted().finish(),
        Err(_) => HttpResponse::ServiceUnavailable().finish(),
    }
}

/// Configures the service of one worker.
fn service(client: Client, publisher: Publisher) -> impl FnOnce(&mut ServiceConfig) {
    move |config| {
        let (client, publisher) = (Data::new(client), Data::new(publisher));
        config.app_data(client).app_data(publisher).service(place).service(view);
    }
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // An error in the configuration ends the program here, rather than in a worker.
    let client = Client::from_env()?;
    // The publisher sends on the runtime of `main`, which outlives the workers.
    let publisher = client.publisher().start();

    let published = publisher.clone();
    // This is called once in each worker, since a worker has its own runtime, and a client's connections belong to one.
    let app = move || {
        let client = Client::from_env().expect("the configuration that was read above");
        App::new().configure(service(client, published.clone()))
    };
    // The server handles SIGTERM and Ctrl-C: it stops accepting requests, and finishes the ones in progress.
    HttpServer::new(app).shutdown_timeout(20).bind(("127.0.0.1", 3000))?.run().await?;

    // The events that are left are lost here. The example `shutdown` stores them in a file.
    let report = publisher.close(Duration::from_secs(5)).await;
    println!("{} events delivered, {} left", report.delivered, report.undelivered.len());
    Ok(())
}

#[cfg(test)]
mod tests {
    use actix_web::http::StatusCode;
    use actix_web::test;
    use inngest_core::reqwest;
    use inngest_core::testing::{EventApi, Fault, Recorder};

    use super::*;

    /// Posts an order, and returns the response's status and body.
    async fn place_order(sent: &Recorder, order: &OrderPlaced) -> (StatusCode, String) {
        let client = sent.builder().build().unwrap();
        let publisher = client.publisher().start();
        let app = test::init_service(App::new().configure(service(client, publisher))).await;
        let request = test::TestRequest::post().uri("/orders").set_json(order).to_request();
        let response = test::call_service(&app, request).await;
        let status = response.status();
        (status, String::from_utf8(test::read_body(response).await.into()).unwrap())
    }

    #[actix_web::test]
    async fn an_order_sends_one_event() {
        let sent = Recorder::new();
        let order = OrderPlaced { number: 1, cents: 4_900 };
        let (status, id) = place_order(&sent, &order).await;
        assert_eq!(status, StatusCode::ACCEPTED);
        assert_eq!(id, format!("{:?}", sent.events()[0].id.as_str()));
        sent.one_like(order);
        sent.nothing_else();
    }

    #[actix_web::test]
    async fn a_rejected_order_is_an_internal_server_error() {
        let sent = Recorder::new();
        sent.fault_when(|_| Some(Fault::refuse("a bad order")));
        let (status, _) = place_order(&sent, &OrderPlaced { number: 1, cents: 0 }).await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    }

    #[actix_web::test]
    async fn workers_send_and_publish_until_the_server_stops() {
        let api = EventApi::start().await;
        let publisher = api.client().publisher().start();
        let (url, published) = (api.url().to_owned(), publisher.clone());
        let app = move || {
            let client = Client::builder().no_env().dev(true).base_url(url.clone()).build();
            App::new().configure(service(client.unwrap(), published.clone()))
        };
        let server = HttpServer::new(app).workers(2).bind(("127.0.0.1", 0)).unwrap();
        let address = server.addrs()[0];
        let server = server.run();
        let handle = server.handle();
        let server = actix_web::rt::spawn(server);

        for number in 0..20 {
            // Each on its own connection, which actix assigns to the workers in turn.
            let http = reqwest::Client::new();
            let order = http.post(format!("http://{address}/orders"));
            let order = order.header("content-type", "application/json");
            let body = serde_json::to_vec(&OrderPlaced { number, cents: 4_900 }).unwrap();
            assert_eq!(order.body(body).send().await.unwrap().status(), 202);
            let viewed = http.post(format!("http://{address}/views/{number}"));
            assert_eq!(viewed.send().await.unwrap().status(), 202);
        }
        handle.stop(true).await;
        server.await.unwrap().unwrap();
        let report = publisher.close(Duration::from_secs(30)).await;
        assert_eq!((report.delivered, report.undelivered.len()), (20, 0));

        let mut orders: Vec<u32> =
            api.events_of::<OrderPlaced>().iter().map(|event| event.data.number).collect();
        let mut views: Vec<u32> =
            api.events_of::<ItemViewed>().iter().map(|event| event.data.item).collect();
        orders.sort_unstable();
        views.sort_unstable();
        assert!(orders.into_iter().eq(0..20));
        assert!(views.into_iter().eq(0..20));
    }
}
