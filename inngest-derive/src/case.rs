//! The case conventions of serde's `rename_all`. serde's own derive reports any other value.

/// Converts the name of a field, which is in snake case in Rust.
pub(crate) fn rename_field(convention: &str, name: &str) -> String {
    match convention {
        "UPPERCASE" | "SCREAMING_SNAKE_CASE" => name.to_ascii_uppercase(),
        "PascalCase" => name.split('_').map(capitalize).collect(),
        "camelCase" => uncapitalize(&rename_field("PascalCase", name)),
        "kebab-case" => name.replace('_', "-"),
        "SCREAMING-KEBAB-CASE" => name.to_ascii_uppercase().replace('_', "-"),
        _ => name.to_owned(),
    }
}

/// Converts the name of a variant, which is in Pascal case in Rust.
pub(crate) fn rename_variant(convention: &str, name: &str) -> String {
    match convention {
        "lowercase" => name.to_ascii_lowercase(),
        "UPPERCASE" => name.to_ascii_uppercase(),
        "camelCase" => uncapitalize(name),
        "snake_case" => pascal_to_snake(name),
        "SCREAMING_SNAKE_CASE" => pascal_to_snake(name).to_ascii_uppercase(),
        "kebab-case" => pascal_to_snake(name).replace('_', "-"),
        "SCREAMING-KEBAB-CASE" => pascal_to_snake(name).to_ascii_uppercase().replace('_', "-"),
        _ => name.to_owned(),
    }
}

/// Converts `CartCompleted` to `cart_completed`.
pub(crate) fn pascal_to_snake(name: &str) -> String {
    let convert = |(index, c): (usize, char)| {
        let separator = (index > 0 && c.is_uppercase()).then_some('_');
        separator.into_iter().chain([c.to_ascii_lowercase()])
    };
    name.char_indices().flat_map(convert).collect()
}

/// Converts the first letter to upper case if it is ASCII; serde leaves other letters unchanged.
fn capitalize(word: &str) -> String {
    let (first, rest) = word.split_at_checked(1).unwrap_or(("", word));
    first.to_ascii_uppercase() + rest
}

/// Converts the first letter to lower case if it is ASCII; serde leaves other letters unchanged.
fn uncapitalize(word: &str) -> String {
    let (first, rest) = word.split_at_checked(1).unwrap_or(("", word));
    first.to_ascii_lowercase() + rest
}
