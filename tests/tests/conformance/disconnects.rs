//! A connection that is closed early does not affect others. The server can accept the events that were
//! complete; resent with the same seed, they have the same ids.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::batches::problem_with_ids;
use super::seeds::Seed;
use super::{Answer, Suite, batch, event};

const EVENTS: usize = 3;

pub(super) async fn check(suite: &mut Suite) {
    let body = batch((0..EVENTS).map(event));
    let event_bytes = event(0).to_string().len() + 1;
    for whole in 0..EVENTS {
        // Cut in the middle of the event after the complete ones.
        let cut = &body[..1 + whole * event_bytes + 4];
        half_closed(suite, cut, &body, whole).await;
        closed(suite, cut, &body).await;
    }
    closed_before_the_answer(suite, &body).await;
    chunked(suite, &body).await;
}

/// The client closes its sending half and reads. The server can respond or not.
async fn half_closed(suite: &mut Suite, cut: &str, body: &str, whole: usize) {
    let seed = Seed::unique();
    let mut stream = connect(suite).await;
    stream.write_all(format!("{}{cut}", head(suite, seed, body.len())).as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let problem = answer(&mut stream).await.and_then(|answer| {
        let refused = (answer.status != 400).then(|| format!("{answer:?}"));
        refused.or_else(|| problem_with_ids(answer.accepted(), whole, seed))
    });
    suite.case(&format!("half a body, {whole} events whole, the client reading"), problem);
    if let Some(api) = &suite.api {
        let ids = seed.ids(EVENTS);
        let stored: Vec<String> = api.events().into_iter().map(|event| event.id.into()).collect();
        let stored = ids.iter().filter(|id| stored.contains(id)).count();
        suite.equal(&format!("half a body, {whole} events whole, as stored"), &stored, &whole);
    }
}

/// The client closes the connection in the middle of its request. Resent, the events have the ids that
/// their seed gives them.
async fn closed(suite: &mut Suite, cut: &str, body: &str) {
    let seed = Seed::unique();
    let mut stream = connect(suite).await;
    stream.write_all(format!("{}{cut}", head(suite, seed, body.len())).as_bytes()).await.unwrap();
    drop(stream);
    let resent = suite.post(body.to_owned(), &seed.header()).await;
    suite.equal(&format!("{} bytes, closed, resent", cut.len()), &resent.ids, &seed.ids(EVENTS));
}

/// The client closes the connection after it has sent its request.
async fn closed_before_the_answer(suite: &mut Suite, body: &str) {
    let seed = Seed::unique();
    let before = suite.api.as_ref().map_or(0, |api| api.events().len());
    let mut stream = connect(suite).await;
    stream.write_all(format!("{}{body}", head(suite, seed, body.len())).as_bytes()).await.unwrap();
    drop(stream);
    if let Some(api) = &suite.api {
        let last = api.wait_for_event(before + EVENTS - 1);
        let stored = tokio::time::timeout(Duration::from_secs(10), last).await;
        let problem = stored.is_err().then(|| "the events were not stored".to_owned());
        suite.case("a request sent, its response not awaited", problem);
    }
    let resent = suite.post(body.to_owned(), &seed.header()).await;
    suite.equal("a request sent, its response not awaited, resent", &resent.ids, &seed.ids(EVENTS));
}

/// A chunked body: complete, and cut between two chunks.
async fn chunked(suite: &mut Suite, body: &str) {
    let chunk = |text: &str| format!("{:x}\r\n{text}\r\n", text.len());
    let (half, rest) = body.split_at(body.len() / 2);
    for (what, chunks, all) in
        [("whole", chunk(half) + &chunk(rest) + "0\r\n\r\n", true), ("cut", chunk(half), false)]
    {
        let seed = Seed::unique();
        let head = head(suite, seed, 0).replace("content-length: 0", "transfer-encoding: chunked");
        let mut stream = connect(suite).await;
        stream.write_all(format!("{head}{chunks}").as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let problem = match answer(&mut stream).await {
            Some(answer) if all => (answer.ids != seed.ids(EVENTS)).then(|| format!("{answer:?}")),
            Some(answer) => problem_with_ids(answer.accepted(), EVENTS / 2, seed),
            None => all.then(|| "no answer".to_owned()),
        };
        suite.case(&format!("a chunked body, {what}"), problem);
    }
}

async fn connect(suite: &Suite) -> TcpStream {
    let url: reqwest::Url = suite.url.parse().unwrap();
    assert_eq!(url.scheme(), "http", "this suite closes only connections without TLS");
    let port = url.port_or_known_default().unwrap();
    TcpStream::connect((url.host_str().unwrap(), port)).await.unwrap()
}

fn head(suite: &Suite, seed: Seed, bytes: usize) -> String {
    let url: reqwest::Url = suite.url.parse().unwrap();
    format!(
        "POST /e/test HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\
         x-inngest-event-id-seed: {}\r\ncontent-length: {bytes}\r\n\r\n",
        url.authority(),
        seed.header()
    )
}

/// Returns the response that the server sends before it closes the connection, if any.
async fn answer(stream: &mut TcpStream) -> Option<Answer> {
    let mut bytes = Vec::new();
    // A reset closes the connection, too.
    let read = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut bytes));
    drop(read.await.expect("the server closes the connection"));
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().unwrap();
    Some(Answer::new(status, body))
}
