//! An independent reading of id templates: which are accepted, and what their parts are.

/// A part of a template.
#[derive(Debug, PartialEq, Eq)]
pub enum Part {
    /// Text, without doubled braces.
    Text(String),
    /// A field.
    Field(String),
}

/// The error of a placeholder such as `{a.b}`, which is not decided here: a derive does not know the fields of fields.
pub const NESTED: &str = "a field of a field";

/// Parses a template whose placeholders name some of `fields`.
///
/// # Errors
///
/// The rule that the template breaks.
pub fn parse(template: &str, fields: &[&str]) -> Result<Vec<Part>, &'static str> {
    let mut parts = Vec::new();
    let mut chars = template.chars().peekable();
    let mut text = String::new();
    while let Some(c) = chars.next() {
        match c {
            '{' | '}' if chars.next_if_eq(&c).is_some() => text.push(c),
            '}' => return Err("a brace that closes nothing"),
            '{' => {
                let mut path = String::new();
                loop {
                    match chars.next() {
                        Some('}') => break,
                        Some('{') | None => return Err("a brace that is not closed"),
                        Some(c) => path.push(c),
                    }
                }
                if !text.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut text)));
                }
                if path.contains('.') {
                    return Err(NESTED);
                }
                if !fields.contains(&&*path) {
                    return Err("no field");
                }
                parts.push(Part::Field(path));
            }
            c => text.push(c),
        }
    }
    if !text.is_empty() {
        parts.push(Part::Text(text));
    }
    check(&parts)?;
    Ok(parts)
}

fn check(parts: &[Part]) -> Result<(), &'static str> {
    if !parts.iter().any(|part| matches!(part, Part::Field(_))) {
        return Err("no placeholder");
    }
    match parts.first() {
        Some(Part::Text(text)) if text.chars().any(char::is_alphabetic) => {}
        _ => return Err("it does not begin with the event"),
    }
    for parts in parts.windows(2) {
        if let [Part::Field(_), Part::Field(_)] = parts {
            return Err("nothing between two placeholders");
        }
    }
    for parts in parts.windows(3) {
        if let [Part::Field(_), Part::Text(text), Part::Field(_)] = parts {
            let first = text.chars().next();
            if first.is_none_or(|c| c == '%' || c.is_ascii_digit() || c.is_alphabetic()) {
                return Err("text between placeholders that begins with a character of values");
            }
        }
    }
    Ok(())
}
