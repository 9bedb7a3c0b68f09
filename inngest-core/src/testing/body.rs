//! Parses a request's body into events, as a stream up to the first invalid event.

use serde_json::Deserializer;

use super::inbound::{InboundEvent, JsonElement};

const MAX_EVENTS: usize = 5_000;
const MAX_EVENT_BYTES: usize = 3 * 1024 * 1024;

/// The events before the first invalid one, and that event's error.
#[derive(Default)]
pub(super) struct ParsedBody {
    pub(super) events: Vec<InboundEvent>,
    pub(super) error: Option<String>,
}

pub(super) fn parse(body: &[u8]) -> ParsedBody {
    let mut parsed = ParsedBody::default();
    // Invalid UTF-8 is replaced, as Go does.
    let body = String::from_utf8_lossy(body);
    let body = body.trim_start_matches(WHITE_SPACE);
    let result = match body.as_bytes().first() {
        None => Ok(()),
        Some(b'{') => parsed.parse_object(body),
        Some(b'[') => parsed.parse_array(&body[1..]),
        Some(_) => {
            Err("Request body must contain an event object or an array of event objects".to_owned())
        }
    };
    parsed.error = result.err();
    parsed
}

/// JSON's white space.
const WHITE_SPACE: [char; 4] = [' ', '\t', '\n', '\r'];

impl ParsedBody {
    /// Inngest measures the whole body here, so trailing white space counts towards the event's size.
    fn parse_object(&mut self, body: &str) -> Result<(), String> {
        check_size(body.len())?;
        let (element, bytes) = first_value(body)
            .map_err(|error| invalid_json(&error, "unexpected end of JSON input"))?;
        if let Some(c) = body[bytes..].trim_start_matches(WHITE_SPACE).chars().next() {
            return Err(format!("invalid character {c:?} after top-level value"));
        }
        self.push(element)
    }

    fn parse_array(&mut self, mut rest: &str) -> Result<(), String> {
        loop {
            rest = rest.trim_start_matches(WHITE_SPACE);
            // Go's decoder only checks whether another event follows, so the end of the body also ends
            // the array.
            if matches!(rest.as_bytes().first(), None | Some(b']' | b'}')) {
                return Ok(());
            }
            if self.events.len() == MAX_EVENTS {
                // The Dev Server stops before it has accepted the last event within the limit.
                self.events.pop();
                return Err(format!("Cannot have more than {MAX_EVENTS} events in a batch"));
            }
            if !self.events.is_empty() {
                rest = rest.strip_prefix(',').ok_or("expected comma after array element")?;
                rest = rest.trim_start_matches(WHITE_SPACE);
            }
            let (element, bytes) =
                first_value(rest).map_err(|error| invalid_json(&error, "unexpected EOF"))?;
            check_size(bytes)?;
            self.push(element)?;
            rest = &rest[bytes..];
        }
    }

    fn push(&mut self, element: JsonElement) -> Result<(), String> {
        self.events.push(InboundEvent::new(element)?);
        Ok(())
    }
}

/// Returns the value at the start of `text`, and its length in bytes.
fn first_value(text: &str) -> Result<(JsonElement, usize), serde_json::Error> {
    let mut values = Deserializer::from_str(text).into_iter();
    match values.next() {
        Some(element) => Ok((element?, values.byte_offset())),
        None => serde_json::from_str(text).map(|element| (element, text.len())),
    }
}

fn check_size(bytes: usize) -> Result<(), String> {
    if bytes <= MAX_EVENT_BYTES {
        return Ok(());
    }
    Err(format!("Event is over the max size: Max {MAX_EVENT_BYTES} bytes / Size {bytes} bytes"))
}

fn invalid_json(error: &serde_json::Error, at_end: &str) -> String {
    if error.is_eof() { at_end.to_owned() } else { format!("invalid JSON in an event: {error}") }
}

#[cfg(test)]
mod tests {
    use super::parse;

    /// Returns the number of valid events, and the error.
    fn parsed(body: &str) -> (usize, String) {
        let body = parse(body.as_bytes());
        (body.events.len(), body.error.unwrap_or_default())
    }

    #[test]
    fn events_before_the_first_invalid_one_are_parsed() {
        assert_eq!(parsed(r#" [ {"name":"a"} , {"name":"b"} ] "#), (2, String::new()));
        assert_eq!(parsed(r#"[{"name":"a"},{"name":"b"}"#), (2, String::new()));
        assert_eq!(parsed(r#"[{"name":"a"},{"name":"b""#), (1, "unexpected EOF".to_owned()));
        assert_eq!(parsed(r#"[{"name":"a"},"#), (1, "unexpected EOF".to_owned()));
        assert_eq!(parsed(" \n\t"), (0, String::new()));
        let (count, error) = parsed(r#"[{"name":"a"} {"name":"b"}]"#);
        assert_eq!((count, error.as_str()), (1, "expected comma after array element"));
        let (count, error) = parsed(r#"[{"name":"a"},{"name":tru}]"#);
        assert!(count == 1 && error.starts_with("invalid JSON in an event: "), "{error}");
        let (count, error) = parsed(r#"{"name":"a"} {"name":"b"}"#);
        assert_eq!((count, error.as_str()), (0, "invalid character '{' after top-level value"));
    }
}
