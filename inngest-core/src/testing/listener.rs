//! The server's connections.

use std::future::poll_fn;
use std::io;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::lock::lock;
use super::server::Server;

/// A listener that any thread can close at once, without waiting until its task is polled.
pub(super) struct Listener(Mutex<Option<TcpListener>>);

impl Listener {
    pub(super) fn new(listener: TcpListener) -> Listener {
        Listener(Mutex::new(Some(listener)))
    }

    pub(super) fn close(&self) {
        drop(lock(&self.0).take());
    }

    /// Waits for the next connection. Returns `None` once the listener is closed.
    async fn accept(&self) -> Option<io::Result<TcpStream>> {
        poll_fn(|context| match lock(&self.0).as_ref() {
            Some(listener) => listener
                .poll_accept(context)
                .map(|accepted| Some(accepted.map(|(stream, _)| stream))),
            None => Poll::Ready(None),
        })
        .await
    }
}

/// Serves connections until the listener is closed or the task is aborted. Both also close the open
/// connections.
pub(super) async fn serve(listener: Arc<Listener>, server: Arc<Server>) {
    let mut connections = JoinSet::new();
    while let Some(accepted) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok(stream) => drop(connections.spawn(connection(stream, Arc::clone(&server)))),
            // Most likely the process is out of file descriptors: wait until some are closed.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn connection(stream: TcpStream, server: Arc<Server>) {
    // Only an optimization, so an error is ignored.
    stream.set_nodelay(true).ok();
    let read_timeout = lock(&server.limits).read_timeout;
    let service = service_fn(|request| Arc::clone(&server).handle(request, read_timeout));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(read_timeout);
    // An error means that the client disconnected or was too slow, or that a fault closes the connection.
    http.serve_connection(TokioIo::new(stream), service).await.ok();
}
