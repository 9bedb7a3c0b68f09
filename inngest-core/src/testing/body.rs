//! A request's body -> its events, read as a stream up to the first that is bad.

use serde_json::Deserializer;

use super::inbound::{Element, Inbound};

const MAX_EVENTS: usize = 5_000;
const MAX_EVENT_BYTES: usize = 3 * 1024 * 1024;

/// The events before the first bad one, and what is wrong with that.
#[derive(Default)]
pub(super) struct Events {
    pub(super) good: Vec<Inbound>,
    pub(super) error: Option<String>,
}

pub(super) fn read(body: &[u8]) -> Events {
    let mut events = Events::default();
    // Go replaces what is not UTF-8, too.
    let body = String::from_utf8_lossy(body);
    let body = body.trim_start_matches(WHITE_SPACE);
    let read = match body.as_bytes().first() {
        None => Ok(()),
        Some(b'{') => events.read_object(body),
        Some(b'[') => events.read_array(&body[1..]),
        Some(_) => {
            Err("Request body must contain an event object or an array of event objects".to_owned())
        }
    };
    events.error = read.err();
    events
}

/// JSON's.
const WHITE_SPACE: [char; 4] = [' ', '\t', '\n', '\r'];

impl Events {
    /// The event's size is that of all that comes, so that white space behind it counts.
    fn read_object(&mut self, body: &str) -> Result<(), String> {
        check_size(body.len())?;
        let (element, bytes) =
            next(body).map_err(|error| invalid_json(&error, "unexpected end of JSON input"))?;
        if let Some(c) = body[bytes..].trim_start_matches(WHITE_SPACE).chars().next() {
            return Err(format!("invalid character {c:?} after top-level value"));
        }
        self.push(element)
    }

    fn read_array(&mut self, mut rest: &str) -> Result<(), String> {
        loop {
            rest = rest.trim_start_matches(WHITE_SPACE);
            // Go's decoder asks only whether there is another event: the end of the body is an end of
            // the array as well.
            if matches!(rest.as_bytes().first(), None | Some(b']' | b'}')) {
                return Ok(());
            }
            if self.good.len() == MAX_EVENTS {
                // The Dev Server gives up with the last event still on its way.
                self.good.pop();
                return Err(format!("Cannot have more than {MAX_EVENTS} events in a batch"));
            }
            if !self.good.is_empty() {
                rest = rest.strip_prefix(',').ok_or("expected comma after array element")?;
                rest = rest.trim_start_matches(WHITE_SPACE);
            }
            let (element, bytes) =
                next(rest).map_err(|error| invalid_json(&error, "unexpected EOF"))?;
            check_size(bytes)?;
            self.push(element)?;
            rest = &rest[bytes..];
        }
    }

    fn push(&mut self, element: Element) -> Result<(), String> {
        self.good.push(Inbound::new(element)?);
        Ok(())
    }
}

/// The value at the beginning of `text`, and its length.
fn next(text: &str) -> Result<(Element, usize), serde_json::Error> {
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
    use super::read;

    fn outcome(body: &str) -> (usize, String) {
        let events = read(body.as_bytes());
        (events.good.len(), events.error.unwrap_or_default())
    }

    #[test]
    fn events_before_the_first_bad_one_are_read() {
        assert_eq!(outcome(r#" [ {"name":"a"} , {"name":"b"} ] "#), (2, String::new()));
        assert_eq!(outcome(r#"[{"name":"a"},{"name":"b"}"#), (2, String::new()));
        assert_eq!(outcome(r#"[{"name":"a"},{"name":"b""#), (1, "unexpected EOF".to_owned()));
        assert_eq!(outcome(r#"[{"name":"a"},"#), (1, "unexpected EOF".to_owned()));
        assert_eq!(outcome(" \n\t"), (0, String::new()));
        let (good, error) = outcome(r#"[{"name":"a"} {"name":"b"}]"#);
        assert_eq!((good, error.as_str()), (1, "expected comma after array element"));
        let (good, error) = outcome(r#"[{"name":"a"},{"name":tru}]"#);
        assert!(good == 1 && error.starts_with("invalid JSON in an event: "), "{error}");
        let (good, error) = outcome(r#"{"name":"a"} {"name":"b"}"#);
        assert_eq!((good, error.as_str()), (0, "invalid character '{' after top-level value"));
    }
}
