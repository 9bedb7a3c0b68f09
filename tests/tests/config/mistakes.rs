//! Configuration that cannot work is an error that says what to write instead.

use std::time::Duration;

use inngest_core::{Client, ConfigError, EventKey, RetryPolicy};
use inngest_tests::{ItemViewed, Script};

use super::{KEY, assert_base_url, assert_config_error, probe};

#[test]
fn an_invalid_base_url_is_an_error() {
    for (url, why) in [
        ("not a url", "it has no scheme"),
        ("http://", "empty host"),
        ("ftp://inn.gs", "its scheme is `ftp`"),
        ("https://user:word@inn.gs", "a user name or a password"),
        ("https://inn.gs?a=b", "a query or a fragment"),
        ("https://inn.gs#a", "a query or a fragment"),
    ] {
        assert_config_error(&[KEY, ("INNGEST_BASE_URL", url)], why);
        let builder = Client::builder().no_env().event_key("a-secret-key").base_url(url);
        if !url.starts_with("https:") {
            // A secret can be in any part of it.
            assert!(format!("{builder:?}").contains(".."), "{builder:?}");
            assert!(!format!("{builder:?}").contains("//"), "{builder:?}");
        }
        let error = builder.build().expect_err(url);
        assert!(matches!(error, ConfigError::InvalidBaseUrl { origin: "`base_url`", .. }));
        assert!(error.to_string().contains(why), "{error}");
    }
}

#[test]
fn a_key_that_changes_the_url_is_refused_and_not_shown() {
    let keys = [
        "",
        ".",
        "..",
        "a/b",
        "a?b",
        "a#b",
        "a%2Fb",
        "a\\b",
        "ke\ny",
        "\nkey",
        "key\n\n",
        "key\r\n\n",
        "key\r",
        "key ",
        "key \n",
        "key\t",
        " key",
        "a b",
        "ke\u{301}y",
        "a\"b",
        "a<b",
        "a`b",
        "a{b}",
    ];
    for key in keys {
        let secret = format!("SECRET{key}");
        for key in
            [key, &secret].into_iter().take(if key.trim_matches('.').is_empty() { 1 } else { 2 })
        {
            let built = Client::builder().no_env().event_key(key).build();
            let error = built.expect_err(key);
            assert!(matches!(error, ConfigError::InvalidKey { .. }), "{key:?}: {error}");
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("SECRET"), "{shown}");
        }
    }
    assert_config_error(
        &[("INNGEST_EVENT_KEY", "a/b")],
        "a character that changes the URL at byte 1 of 3",
    );
    assert_config_error(
        &[("INNGEST_EVENT_KEY", "ke\ny"), ("INNGEST_DEV", "1")],
        "a line break at byte 2 of 4",
    );
}

#[test]
fn a_line_break_after_the_key_is_ignored() {
    for key in ["a-secret-key\n", "a-secret-key\r\n"] {
        for key in [EventKey::new(key), EventKey::from(key), EventKey::from(key.to_owned())] {
            let script = Script::new([]);
            let client = script.builder().event_key(key).build().expect("a client");
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
            let sent = runtime.expect("a runtime").block_on(client.send(ItemViewed::number(1)));
            sent.expect("an id");
            assert_eq!(script.requests()[0].http.uri().path(), "/e/a-secret-key");
        }
        assert_base_url(&[("INNGEST_EVENT_KEY", key)], "https://inn.gs/");
    }
    assert_config_error(&[("INNGEST_EVENT_KEY", "\n")], "it is empty");
    assert_config_error(&[("INNGEST_EVENT_KEY", "key\r")], "a line break at byte 3 of 4");
}

#[test]
fn a_signing_key_is_not_an_event_key() {
    for key in ["signkey-prod-5ecre7", "signkey-test-5ecre7", "signkey-branch-5ecre7"] {
        for dev in [("INNGEST_DEV", "0"), ("INNGEST_DEV", "1")] {
            assert_config_error(
                &[("INNGEST_EVENT_KEY", key), dev],
                "it is a signing key; write an event key",
            );
        }
        let error = Client::builder().no_env().event_key(key).build().expect_err("a signing key");
        assert!(matches!(error, ConfigError::InvalidKey { .. }), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("5ecre7"), "{error}");
    }
    Client::builder().no_env().event_key("a-signkey-").build().expect("a client");
}

#[test]
fn a_base_url_without_a_scheme_says_to_write_one() {
    for url in
        ["localhost:8288", "127.0.0.1:8288", "inn.gs", "inn.gs:443/a", "//inn.gs", "[::1]:80"]
    {
        assert_config_error(
            &[KEY, ("INNGEST_BASE_URL", url)],
            "write `http://` or `https://` before the host",
        );
        let error = Client::builder().no_env().dev(true).base_url(url).build().expect_err(url);
        assert!(matches!(error, ConfigError::InvalidBaseUrl { .. }), "{url}: {error:?}");
    }
    assert_config_error(&[("INNGEST_DEV", "localhost:8288")], "such as `http://localhost:8288`");
}

#[test]
fn a_base_url_with_the_path_of_the_event_api_says_to_leave_it_out() {
    for path in ["/e/", "/e", "/e/5ecre7", "/inner/e/5ecre7", "/e/5ecre7/", "/./e/5ecre7"] {
        let url = format!("https://inn.gs{path}");
        assert_config_error(
            &[KEY, ("INNGEST_EVENT_API_BASE_URL", &url)],
            "leave out `/e/` and the key",
        );
        let error = Client::builder().no_env().dev(true).base_url(&url).build().expect_err(&url);
        assert!(matches!(error, ConfigError::InvalidBaseUrl { .. }), "{url}: {error:?}");
        assert!(!format!("{error} {error:?}").contains("5ecre7"), "{error}");
    }
    for path in ["/E/", "/event", "/ee/x", "/a-e/b"] {
        let url = format!("https://inn.gs{path}");
        Client::builder().no_env().dev(true).base_url(&url).build().expect(&url);
    }
    let dev = [("INNGEST_DEV", "inn.gs/e/5ecre7")];
    assert_config_error(&dev, "INNGEST_DEV is `..`");
    assert!(!probe(&dev).contains("5ecre7"));
}

#[test]
fn a_url_too_long_for_http_is_refused_when_the_client_is_built() {
    let builder = || Client::builder().no_env().dev(true);
    let host = "http://localhost";
    let long = |bytes: usize| format!("{host}/{}", "p".repeat(bytes - host.len() - 1));
    let error = builder().base_url(long(70_000)).build().expect_err("70,000 bytes");
    assert!(matches!(error, ConfigError::InvalidBaseUrl { .. }), "{error:?}");
    assert!(error.to_string().contains("the URL has 70000 bytes"), "{error}");
    let error = builder().event_key("k".repeat(70_000)).build().expect_err("70,000 bytes");
    assert!(matches!(error, ConfigError::InvalidKey { .. }), "{error:?}");

    // Together with `/e/` and a key of one byte.
    builder().base_url(long(65_530)).event_key("k").build().expect("at the limit");
    builder().base_url(long(65_531)).event_key("k").build().expect_err("one byte more");
    builder().base_url("http://a{b").build().expect_err("a host that HTTP does not allow");
}

#[test]
fn a_zero_timeout_is_refused_and_the_longest_is_not() {
    let builder = || Client::builder().no_env().dev(true);
    let total = |timeout| RetryPolicy::default().total_timeout(timeout);
    for (built, option) in [
        (builder().timeout(Duration::ZERO), "`timeout`: it is zero"),
        (builder().connect_timeout(Duration::ZERO), "`connect_timeout`: it is zero"),
        (builder().retry(total(Duration::ZERO)), "`retry`: its `total_timeout` is zero"),
    ] {
        let error = built.build().expect_err(option);
        assert!(matches!(error, ConfigError::InvalidOption { .. }), "{error:?}");
        assert!(error.to_string().starts_with(option), "{error}");
        assert!(error.to_string().contains("Duration::from_secs("), "{error}");
    }
    let longest = builder().timeout(Duration::MAX).connect_timeout(Duration::MAX);
    longest.retry(total(Duration::MAX)).build().expect("a client");
}

#[test]
fn options_out_of_range_are_refused() {
    let builder = || Client::builder().no_env().dev(true);
    for (built, option) in [
        (
            builder().max_request_events(0).build(),
            "`max_request_events`: it is 0, but must be 1 to 5000",
        ),
        (builder().max_request_events(5_001).build(), "`max_request_events`: it is 5001"),
        (builder().max_in_flight(0).build(), "`max_in_flight`: it is 0, but must be at least 1"),
        (builder().max_event_bytes(0).build(), "`max_event_bytes`"),
        (builder().max_request_bytes(0).build(), "`max_request_bytes`"),
        (builder().env("a\nb").build(), "`env`: it has a character"),
        (builder().app_name("a\u{7f}b").build(), "`app_name`: it has a character"),
    ] {
        let error = built.expect_err(option);
        assert!(error.to_string().starts_with(option), "{error}");
    }
}

#[test]
fn a_base_url_with_a_password_is_refused_and_never_shown() {
    let builder = Client::builder().no_env().dev(true).base_url("http://user:passw0rd@localhost");
    assert!(!format!("{builder:?}").contains("passw0rd"), "{builder:?}");
    let error = builder.build().expect_err("a URL with a password");
    assert!(!format!("{error} {error:?}").contains("passw0rd"), "{error}");
}
