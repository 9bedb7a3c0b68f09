//! The parts of a JSON text that the checks of an event need.

/// One part of a JSON text.
#[derive(Debug, PartialEq)]
pub(super) enum Token<'a> {
    BeginObject,
    BeginArray,
    /// The end of an object or an array.
    End,
    /// The comma after an entry of an object or an item of an array.
    Comma,
    /// A key with its quotes. Other strings are skipped.
    Key(&'a [u8]),
    Number(&'a str),
}

/// Iterates over the tokens of valid JSON, which may be cut off after a token, each with its offset.
pub(super) struct Tokens<'a> {
    json: &'a [u8],
    offset: usize,
}

impl<'a> Tokens<'a> {
    pub(super) fn of(json: &'a [u8]) -> Tokens<'a> {
        Tokens { json, offset: 0 }
    }

    /// Consumes bytes from `start` as long as they match, and returns them.
    fn take_while(&mut self, start: usize, matches: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = &self.json[start..];
        let length = rest.iter().position(|byte| !matches(*byte)).unwrap_or(rest.len());
        self.offset = start + length;
        &rest[..length]
    }

    /// Consumes the string that starts at `start`, and returns it with its quotes.
    fn take_string(&mut self, start: usize) -> &'a [u8] {
        let mut end = start + 1;
        while end < self.json.len() && self.json[end] != b'"' {
            end += if self.json[end] == b'\\' { 2 } else { 1 };
        }
        self.offset = (end + 1).min(self.json.len());
        &self.json[start..self.offset]
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = (usize, Token<'a>);

    fn next(&mut self) -> Option<(usize, Token<'a>)> {
        loop {
            let start = self.offset;
            let byte = *self.json.get(start)?;
            self.offset += 1;
            let token = match byte {
                b'{' => Token::BeginObject,
                b'[' => Token::BeginArray,
                b'}' | b']' => Token::End,
                b',' => Token::Comma,
                b'-' | b'0'..=b'9' => {
                    let number = self.take_while(start, is_part_of_number);
                    Token::Number(std::str::from_utf8(number).unwrap_or_default())
                }
                b'"' => {
                    let string = self.take_string(start);
                    self.take_while(self.offset, |byte| byte.is_ascii_whitespace());
                    if self.json.get(self.offset) != Some(&b':') {
                        continue;
                    }
                    Token::Key(string)
                }
                _ => continue,
            };
            return Some((start, token));
        }
    }
}

fn is_part_of_number(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')
}

#[cfg(test)]
mod tests {
    use super::{Token, Tokens};

    #[test]
    fn keys_and_numbers_are_found_and_other_values_are_skipped() {
        let json = br#"{"a\"b" : [-1.5e+3, "1,{\\", null], "": true}"#;
        let tokens: Vec<_> = Tokens::of(json).collect();
        assert_eq!(
            tokens,
            [
                (0, Token::BeginObject),
                (1, Token::Key(br#""a\"b""#)),
                (10, Token::BeginArray),
                (11, Token::Number("-1.5e+3")),
                (18, Token::Comma),
                (27, Token::Comma),
                (33, Token::End),
                (34, Token::Comma),
                (36, Token::Key(br#""""#)),
                (44, Token::End),
            ]
        );
    }

    #[test]
    fn any_cut_is_tolerated() {
        let json = br#"{"a\\" : ["x\"", 12]}"#;
        for end in 0..json.len() {
            assert!(Tokens::of(&json[..end]).count() <= 6);
        }
    }
}
