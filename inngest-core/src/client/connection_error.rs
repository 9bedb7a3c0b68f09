//! Explains a failed connection: its root cause, and how to fix it.

use std::error::Error;
use std::fmt;
use std::io;
use std::iter;

use reqwest::Url;

use super::base_url::is_loopback;

/// The HTTP client's error for a request, with the server that the request was for.
#[derive(Debug)]
pub(super) struct ConnectionError {
    /// Host and port.
    server: String,
    is_loopback: bool,
    source: reqwest::Error,
}

impl ConnectionError {
    /// Creates the error for a request to `url`. `source` must not contain the URL, which contains
    /// the key.
    pub(super) fn new(url: &Url, source: reqwest::Error) -> ConnectionError {
        let host = url.host_str().unwrap_or_default();
        let server = match url.port_or_known_default() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        ConnectionError { server, is_loopback: is_loopback(url), source }
    }
}

impl fmt::Display for ConnectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the request to {} failed", self.server)
    }
}

impl Error for ConnectionError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}

/// Returns the root cause of `error`, with a hint where the cause is known. The errors of other
/// crates have no public types, so most causes are recognized by their text.
pub(super) fn explain(error: &(dyn Error + 'static)) -> String {
    let request = error.downcast_ref::<ConnectionError>();
    let server = request.map_or("the server", |request| request.server.as_str());
    // The outermost text is left out: it contains the server's name, which could match any word
    // below.
    let error = request.map_or(error, |request| &request.source);
    let chain = || iter::successors(Some(error), |&error| error.source());
    let texts: Vec<String> = chain().map(ToString::to_string).collect();
    let root = texts.last().map_or("", String::as_str);
    let contains = |parts: &[&str]| {
        let contains = |text: &String| parts.iter().any(|part| text.contains(part));
        texts.iter().any(contains)
    };

    // A proxy is checked first, since its errors can also match each of the other causes.
    if contains(&["tunnel", "proxy", "SOCKS"]) {
        format!(
            "the proxy did not connect to {server} ({root}); check HTTPS_PROXY and NO_PROXY, or the \
             proxy of your `http_client`"
        )
    } else if contains(&["dns error"]) {
        format!(
            "DNS did not resolve the host of {server} ({root}); check the base URL and the network"
        )
    } else if chain().any(is_refused) {
        let hint = if request.is_some_and(|request| request.is_loopback) {
            "is the Dev Server running? Start it with `npx inngest-cli@latest dev`"
        } else {
            "check the host and the port of the base URL"
        };
        format!("{server} refused the connection ({root}); {hint}")
    } else if contains(&["certificate", "Certificate"]) {
        format!("the certificate of {server} is invalid ({root}); {}", certificate_hint(root))
    } else if contains(&["InvalidContentType", "wrong version number", "handshake eof"]) {
        format!(
            "{server} did not respond with TLS ({root}); if it is a plain HTTP server, write \
             `http://` in the base URL"
        )
    } else if contains(&["invalid HTTP version"]) {
        format!(
            "{server} did not respond with HTTP ({root}); if it expects TLS, write `https://` in \
             the base URL"
        )
    } else {
        root.to_owned()
    }
}

fn is_refused(error: &(dyn Error + 'static)) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}

fn certificate_hint(root: &str) -> &'static str {
    let contains = |parts: &[&str]| parts.iter().any(|part| root.contains(part));
    if contains(&["expired", "Expired", "not valid yet", "NotValidYet"]) {
        "is the clock of this machine correct?"
    } else if contains(&["not valid for name", "NotValidForName", "mismatch"]) {
        "check the host of the base URL"
    } else {
        "install the CA certificates (`ca-certificates`), or set an `http_client` that trusts it"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An error and its sources, outermost first.
    #[derive(Debug)]
    struct Chain(&'static str, Option<Box<dyn Error>>);

    impl fmt::Display for Chain {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Chain {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_deref()
        }
    }

    /// Explains an error with the sources `texts`, of which the last is the root.
    fn explained(texts: &[&'static str]) -> String {
        let chain = texts.iter().rev().fold(None, |source: Option<Box<dyn Error>>, text| {
            Some(Box::new(Chain(text, source)) as Box<dyn Error>)
        });
        explain(&Chain("error sending request", chain))
    }

    #[test]
    fn every_known_cause_has_its_hint() {
        for (chain, hint) in [
            (&["dns error", "failed to lookup address information"][..], "check the base URL"),
            (&["tunnel error: unsuccessful"], "HTTPS_PROXY"),
            (&["tunnel error: failed to create underlying connection", "dns error", "no"], "PROXY"),
            (&["invalid peer certificate: UnknownIssuer"], "`ca-certificates`"),
            (&["error:0A000086:SSL routines::certificate verify failed:"], "`ca-certificates`"),
            (&["invalid peer certificate: Expired"], "clock"),
            (&["invalid peer certificate: certificate not valid for name \"a\""], "check the host"),
            (&["received corrupt message of type InvalidContentType"], "write `http://`"),
            (&["error:0A00010B:SSL routines:ssl3_get_record:wrong version number:"], "`http://`"),
            (&["tls handshake eof"], "write `http://`"),
            (&["invalid HTTP version parsed"], "write `https://`"),
        ] {
            let text = explained(chain);
            let root = chain[chain.len() - 1];
            assert!(text.contains(&format!("({root})")) && text.contains(hint), "{text}");
        }
    }

    #[test]
    fn an_unknown_cause_is_the_root_alone() {
        assert_eq!(explained(&["connection error", "Broken pipe"]), "Broken pipe");
        assert_eq!(explained(&[]), "error sending request");
    }

    #[test]
    fn a_refused_connection_is_recognized_by_its_kind() {
        let refused = || Box::new(io::Error::from(io::ErrorKind::ConnectionRefused));
        let text = explain(&Chain("tcp connect error", Some(refused())));
        assert!(
            text.starts_with("the server refused the connection (connection refused)"),
            "{text}"
        );
        let chain = Chain("tunnel error: failed", Some(refused()));
        assert!(explain(&chain).contains("HTTPS_PROXY"));
    }
}
