//! Parses and validates the response to a request.

use std::time::{Duration, SystemTime};

use reqwest::header::{DATE, HeaderMap, LOCATION, RETRY_AFTER};
use serde::Deserialize;

use super::error::RequestError;
use super::event_key::EventKey;
use super::transport::Response;
use crate::event::EventId;

/// The length to which a server's message is truncated.
const MAX_MESSAGE_CHARS: usize = 500;

/// The server's result for the events of one request.
#[derive(Debug)]
pub(super) enum ParsedResponse {
    /// One id per event.
    Accepted(Vec<EventId>),
    /// The events before the first bad one are accepted. The events after it were not processed.
    Partial { accepted: Vec<EventId>, message: String },
}

/// The JSON body of Inngest's responses.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ResponseBody {
    ids: Option<Vec<EventId>>,
    status: Option<u16>,
    error: Option<String>,
    message: Option<String>,
}

/// Parses the response to a request with `events` events.
pub(super) fn parse(
    response: &Response,
    events: usize,
    key: &EventKey,
) -> Result<ParsedResponse, RequestError> {
    let status = response.status.as_u16();
    let message = || message(response, key);
    if response.redirected {
        let problem =
            "it comes from another URL; configure the HTTP client not to follow redirects";
        return Err(invalid(status, problem.to_owned()));
    }
    match status {
        200..=299 => accepted(response, events),
        300..=399 => {
            let to = if response.headers.contains_key(LOCATION) { " to another URL" } else { "" };
            Err(invalid(
                status,
                format!(
                    "it redirects{to}; redirects are not followed, because the URL contains the key"
                ),
            ))
        }
        400 => partial(response, events, message()),
        401 | 403 | 404 => Err(RequestError::KeyRefused { status, message: message() }),
        408 | 425 | 429 | 500..=599 => Err(RequestError::Unavailable {
            status,
            message: message(),
            retry_after: retry_after(&response.headers, SystemTime::now()),
        }),
        413 => Err(RequestError::TooLarge { message: message() }),
        _ => Err(RequestError::Refused { status, message: message() }),
    }
}

fn accepted(response: &Response, events: usize) -> Result<ParsedResponse, RequestError> {
    let status = response.status.as_u16();
    let body = serde_json::from_slice::<ResponseBody>(&response.body);
    let Some(body) = body.ok().filter(|_| !response.truncated) else {
        return Err(invalid(status, format!("it is {}", describe_body(response))));
    };
    if body.status != Some(200) {
        let found =
            body.status.map_or("no `status`".to_owned(), |found| format!("`status` {found}"));
        return Err(invalid(status, format!("its body has {found}, not 200")));
    }
    let ids = body.ids.unwrap_or_default();
    let empty = ids.iter().filter(|id| id.as_str().is_empty()).count();
    if ids.len() != events || empty > 0 {
        let empty = if empty > 0 { format!(", {empty} of them empty") } else { String::new() };
        let problem = format!("it has {} ids{empty}, for {events} events", ids.len());
        return Err(invalid(status, problem));
    }
    Ok(ParsedResponse::Accepted(ids))
}

/// A 400 of Inngest lists the ids of the events before the bad one. Any other 400 has no list.
fn partial(
    response: &Response,
    events: usize,
    message: String,
) -> Result<ParsedResponse, RequestError> {
    let body = serde_json::from_slice::<ResponseBody>(&response.body).unwrap_or_default();
    let Some(mut accepted) = body.ids else {
        return Err(RequestError::Refused { status: 400, message });
    };
    let known = accepted.iter().take_while(|id| !id.as_str().is_empty()).count();
    if known >= events {
        let problem = format!("it has an id for every event, but also the error: {message}");
        return Err(invalid(400, problem));
    }
    accepted.truncate(known);
    Ok(ParsedResponse::Partial { accepted, message })
}

fn invalid(status: u16, problem: String) -> RequestError {
    RequestError::InvalidResponse { status, problem }
}

/// Returns the server's error message, without the key.
fn message(response: &Response, key: &EventKey) -> String {
    let body = serde_json::from_slice::<ResponseBody>(&response.body).unwrap_or_default();
    let message = body.error.filter(|text| !text.is_empty());
    let message = message.or(body.message.filter(|text| !text.is_empty()));
    let text = message.unwrap_or_else(|| {
        if is_html(response) {
            return describe_body(response).to_owned();
        }
        if response.body.trim_ascii().is_empty() {
            return "no reason given".to_owned();
        }
        String::from_utf8_lossy(&response.body).trim().to_owned()
    });
    // Redacted before truncating, which could leave the beginning of the key.
    key.redact(text).chars().take(MAX_MESSAGE_CHARS).collect()
}

fn is_html(response: &Response) -> bool {
    response.body.trim_ascii_start().starts_with(b"<")
}

/// Describes a body that is not a response of Inngest.
fn describe_body(response: &Response) -> &'static str {
    if response.truncated {
        "longer than a valid response"
    } else if response.body.is_empty() {
        "empty"
    } else if is_html(response) {
        "an HTML page: does the base URL lead to Inngest?"
    } else {
        "not Inngest's JSON: does the base URL lead to Inngest?"
    }
}

/// Parses `Retry-After`: seconds, or a date, which is compared with the response's `Date` if it has one.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = httpdate::parse_http_date(value).ok()?;
    let date = headers.get(DATE).and_then(|date| date.to_str().ok());
    let now = date.and_then(|date| httpdate::parse_http_date(date).ok()).unwrap_or(now);
    Some(until.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    #[test]
    fn retry_after_is_seconds_or_a_date_on_the_servers_clock() {
        let headers = |pairs: &[(reqwest::header::HeaderName, &'static str)]| {
            let pair = |(name, value): &(_, &'static str)| {
                (reqwest::header::HeaderName::clone(name), HeaderValue::from_static(value))
            };
            pairs.iter().map(pair).collect::<HeaderMap>()
        };
        let after = |pairs: &[_]| retry_after(&headers(pairs), SystemTime::UNIX_EPOCH);
        let seconds = |seconds| Some(Duration::from_secs(seconds));

        assert_eq!(after(&[]), None);
        assert_eq!(after(&[(RETRY_AFTER, "7")]), seconds(7));
        assert_eq!(after(&[(RETRY_AFTER, "soon")]), None);
        assert_eq!(after(&[(RETRY_AFTER, "-7")]), None);
        assert_eq!(after(&[(RETRY_AFTER, "Thu, 01 Jan 1970 00:00:30 GMT")]), seconds(30));
        let server_time = (DATE, "Thu, 01 Jan 1970 00:00:20 GMT");
        assert_eq!(
            after(&[(RETRY_AFTER, "Thu, 01 Jan 1970 00:00:30 GMT"), server_time.clone()]),
            seconds(10)
        );
        assert_eq!(
            after(&[(RETRY_AFTER, "Thu, 01 Jan 1970 00:00:10 GMT"), server_time]),
            seconds(0)
        );
    }
}
