//! Parses and validates the response to a request.

use std::collections::HashSet;
use std::time::SystemTime;

use reqwest::header::LOCATION;
use serde::Deserialize;

use super::error::RequestError;
use super::event_key::EventKey;
use super::retry_after::retry_after;
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
        200..=299 => accepted(response, events, key),
        300..=399 => {
            let to = if response.headers.contains_key(LOCATION) { " to another URL" } else { "" };
            Err(invalid(
                status,
                format!(
                    "it redirects{to}; redirects are not followed, because the URL contains the key"
                ),
            ))
        }
        400 => partial(response, events, message(), key),
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

/// Parses the body of a response. Returns `None` if it is not a JSON object with Inngest's fields.
fn parse_body(response: &Response) -> Option<ResponseBody> {
    // serde also reads a struct from an array of its fields.
    let is_object = response.body.trim_ascii_start().starts_with(b"{");
    is_object.then(|| serde_json::from_slice(&response.body).ok())?
}

/// Parses and validates the body of a 2xx response.
fn accepted(
    response: &Response,
    events: usize,
    key: &EventKey,
) -> Result<ParsedResponse, RequestError> {
    let status = response.status.as_u16();
    let Some(body) = parse_body(response).filter(|_| !response.truncated) else {
        return Err(invalid(status, format!("it is {}", describe_body(response))));
    };
    if body.status != Some(200) {
        let found =
            body.status.map_or("no `status`".to_owned(), |found| format!("`status` {found}"));
        return Err(invalid(status, format!("its body has {found}, not 200")));
    }
    let ids = body.ids.unwrap_or_default();
    if ids.len() != events {
        return Err(invalid(status, format!("it has {} ids, for {events} events", ids.len())));
    }
    let ids = check_ids(ids, key).map_err(|problem| invalid(status, problem))?;
    Ok(ParsedResponse::Accepted(ids))
}

/// Parses and validates the body of a 400. Inngest lists the ids of the events before the bad one,
/// or one blank id if there are none. A 400 without a list is not from Inngest.
fn partial(
    response: &Response,
    events: usize,
    message: String,
    key: &EventKey,
) -> Result<ParsedResponse, RequestError> {
    let body = parse_body(response).unwrap_or_default();
    let Some(mut ids) = body.ids else {
        return Err(RequestError::Refused { status: 400, message });
    };
    if ids.len() > events {
        let problem = format!("it has {} ids, for {events} events: {message}", ids.len());
        return Err(invalid(400, problem));
    }
    let accepted_count = ids.iter().take_while(|id| !is_blank(id)).count();
    if ids[accepted_count..].iter().any(|id| !is_blank(id)) {
        let problem = format!("it has an id after a blank one, and the error: {message}");
        return Err(invalid(400, problem));
    }
    if accepted_count == events {
        let problem = format!("it has an id for every event, but also the error: {message}");
        return Err(invalid(400, problem));
    }
    ids.truncate(accepted_count);
    let accepted = check_ids(ids, key)
        .map_err(|problem| invalid(400, format!("{problem}, and the error: {message}")))?;
    Ok(ParsedResponse::Partial { accepted, message })
}

/// Returns the ids of accepted events, in which the key is redacted, or what is wrong with them.
fn check_ids(ids: Vec<EventId>, key: &EventKey) -> Result<Vec<EventId>, String> {
    let (mut blank, mut ascending, mut contains_key) = (0_usize, true, false);
    let mut previous: &[u8] = b"";
    for id in &ids {
        blank += usize::from(is_blank(id));
        ascending &= previous < id.as_bytes();
        contains_key |= key.occurs_in_id(id);
        previous = id.as_bytes();
    }
    if blank > 0 {
        return Err(format!("it has {} ids, {blank} of them blank", ids.len()));
    }
    // The ids of one response normally ascend, so the set is rarely needed.
    if !ascending && has_repeated(&ids) {
        return Err(format!("it has {} ids, some of them equal", ids.len()));
    }
    if contains_key {
        return Ok(ids.into_iter().map(|id| key.redact_id(id)).collect());
    }
    Ok(ids)
}

fn is_blank(id: &EventId) -> bool {
    // For most ids, checking the first character is enough.
    let starts_with_text = id.as_bytes().first().is_some_and(u8::is_ascii_graphic);
    !starts_with_text && id.as_str().trim().is_empty()
}

fn has_repeated(ids: &[EventId]) -> bool {
    let mut unique = HashSet::with_capacity(ids.len());
    !ids.iter().all(|id| unique.insert(id))
}

fn invalid(status: u16, problem: String) -> RequestError {
    RequestError::InvalidResponse { status, problem }
}

/// Returns the server's error message, in which the key is redacted.
fn message(response: &Response, key: &EventKey) -> String {
    let body = parse_body(response).unwrap_or_default();
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
    // Redacted before it is truncated, since truncating could leave a prefix of the key.
    key.redact(&text, response.truncated).chars().take(MAX_MESSAGE_CHARS).collect()
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
