//! Promise 11: the errors of failed connections name the root cause and what to do, over real sockets.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use inngest_core::{Client, ClientBuilder, RequestError, RetryPolicy};
use inngest_tests::ItemViewed;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

fn builder(url: &str) -> ClientBuilder {
    let policy = RetryPolicy::none().total_timeout(Duration::from_secs(5));
    Client::builder().no_env().event_key("a-secret-key").base_url(url).retry(policy)
}

/// Why an event cannot be sent. The reason is the same in the error of one event and of several.
async fn failure(builder: ClientBuilder) -> RequestError {
    let client = builder.build().expect("a client");
    let error = client.send(ItemViewed::number(1)).await.expect_err("no connection");
    let cause = error.cause().expect("a cause").clone();
    assert!(error.to_string().ends_with(&cause.to_string()), "{error}");
    assert!(cause.is_retryable());
    cause
}

/// All errors of the chain, outermost first.
fn chain(error: &RequestError) -> Vec<String> {
    let first: &(dyn Error + 'static) = error;
    std::iter::successors(Some(first), |&error| error.source()).map(ToString::to_string).collect()
}

fn contains_all(error: &RequestError, parts: &[&str]) {
    let text = error.to_string();
    for part in parts {
        assert!(text.contains(part), "no {part:?} in: {text}");
    }
    // The root is in the text, and the whole chain below it still is.
    let chain = chain(error);
    assert!(chain.len() > 2, "{chain:?}");
    assert!(text.contains(chain.last().expect("a root")), "{chain:?}");
}

/// A server that answers what it reads with `answer`, and closes the connection. Returns its address.
async fn server(answer: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let mut read = [0; 4_096];
            if connection.read(&mut read).await.is_ok() {
                connection.write_all(answer).await.ok();
                connection.shutdown().await.ok();
            }
        }
    });
    address
}

async fn closed_port() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    listener.local_addr().expect("an address").to_string()
}

fn proxied(proxy: &str) -> reqwest::Client {
    let proxy = reqwest::Proxy::all(format!("http://{proxy}")).expect("a proxy");
    reqwest::Client::builder().proxy(proxy).build().expect("an HTTP client")
}

#[tokio::test]
async fn a_refused_connection_to_this_machine_asks_for_the_dev_server() {
    let address = closed_port().await;
    for url in [format!("http://{address}"), format!("https://{address}")] {
        let error = failure(builder(&url)).await;
        assert!(matches!(error, RequestError::Connect { .. }), "{error:?}");
        contains_all(
            &error,
            &[
                "no connection to Inngest: ",
                &format!("{address} refused the connection"),
                "npx inngest-cli@latest dev",
            ],
        );
    }
}

#[tokio::test]
async fn a_host_without_an_address_is_a_dns_failure() {
    for scheme in ["http", "https"] {
        let error = failure(builder(&format!("{scheme}://inngest.invalid"))).await;
        assert!(matches!(error, RequestError::Connect { .. }), "{error:?}");
        contains_all(&error, &["DNS did not resolve", "inngest.invalid", "check the base URL"]);
    }
}

#[tokio::test]
async fn tls_to_a_plain_http_server_asks_for_http() {
    for answer in [&b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"[..], b""] {
        let address = server(answer).await;
        let error = failure(builder(&format!("https://{address}"))).await;
        contains_all(&error, &[&address, "did not respond with TLS", "write `http://`"]);
    }
}

#[tokio::test]
async fn plain_http_to_a_tls_server_asks_for_https() {
    let address = server(b"\x15\x03\x01\x00\x02\x02\x32").await;
    let error = failure(builder(&format!("http://{address}"))).await;
    assert!(matches!(error, RequestError::Interrupted { .. }), "{error:?}");
    contains_all(&error, &[&address, "did not respond with HTTP", "write `https://`"]);
}

#[tokio::test]
async fn a_proxy_that_does_not_connect_is_named() {
    let refusing = server(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n").await;
    let wants_password =
        server(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n").await;
    for proxy in [refusing, wants_password, closed_port().await, "proxy.invalid:3128".to_owned()] {
        let builder = builder("https://inngest.invalid").http_client(proxied(&proxy));
        let error = failure(builder).await;
        assert!(matches!(error, RequestError::Connect { .. }), "{error:?}");
        contains_all(&error, &["the proxy did not connect to inngest.invalid:443", "HTTPS_PROXY"]);
    }
}

/// Accepts TLS connections with a certificate that no one trusts.
async fn self_signed() -> String {
    let certificate = CertificateDer::from_pem_slice(include_bytes!("tls/certificate.pem"));
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("tls/key.pem")).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("TLS versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.expect("a certificate")], key)
        .expect("a matching key");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            acceptor.accept::<TcpStream>(connection).await.ok();
        }
    });
    format!("localhost:{}", address.port())
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_asks_for_ca_certificates() {
    let address = self_signed().await;
    let error = failure(builder(&format!("https://{address}"))).await;
    assert!(matches!(error, RequestError::Connect { .. }), "{error:?}");
    contains_all(&error, &["certificate of localhost:", "is invalid", "ca-certificates"]);
}

#[tokio::test]
async fn a_broken_connection_names_its_cause() {
    let address = server(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{").await;
    let error = failure(builder(&format!("http://{address}"))).await;
    assert!(matches!(error, RequestError::Interrupted { .. }), "{error:?}");
    contains_all(&error, &["the connection broke before the response was received: end of file"]);
}
