//! The server's connections.

use std::future::poll_fn;
use std::io;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::lock;
use super::server::Server;

/// A listener that can be closed from outside, at once and not only when its task is next polled.
pub(super) struct Listener(Mutex<Option<TcpListener>>);

impl Listener {
    pub(super) fn new(listener: TcpListener) -> Listener {
        Listener(Mutex::new(Some(listener)))
    }

    pub(super) fn close(&self) {
        drop(lock(&self.0).take());
    }

    /// The next connection, or none if the listener has been closed.
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

/// Serves connections until the listener is closed or the task is aborted, which ends them, too.
pub(super) async fn serve(listener: Arc<Listener>, server: Arc<Server>) {
    let mut connections = JoinSet::new();
    while let Some(accepted) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok(stream) => drop(connections.spawn(connection(stream, Arc::clone(&server)))),
            // Out of file descriptors, most likely: others may be closed soon.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn connection(stream: TcpStream, server: Arc<Server>) {
    // Only a matter of speed.
    stream.set_nodelay(true).ok();
    let service = service_fn(|request| Arc::clone(&server).handle(request));
    // An error here is a client that broke off, or a fault that was asked for.
    http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.ok();
}
