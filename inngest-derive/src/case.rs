//! The case conventions of serde's `rename_all`.

/// The value of `rename_all`.
#[derive(Clone, Copy)]
pub(crate) enum RenameRule {
    Lower,
    Upper,
    Pascal,
    Camel,
    Snake,
    ScreamingSnake,
    Kebab,
    ScreamingKebab,
}

impl RenameRule {
    pub(crate) fn parse(name: &str) -> Option<RenameRule> {
        Some(match name {
            "lowercase" => RenameRule::Lower,
            "UPPERCASE" => RenameRule::Upper,
            "PascalCase" => RenameRule::Pascal,
            "camelCase" => RenameRule::Camel,
            "snake_case" => RenameRule::Snake,
            "SCREAMING_SNAKE_CASE" => RenameRule::ScreamingSnake,
            "kebab-case" => RenameRule::Kebab,
            "SCREAMING-KEBAB-CASE" => RenameRule::ScreamingKebab,
            _ => return None,
        })
    }

    /// Converts the name of a field, which is in snake case in Rust.
    pub(crate) fn rename_field(self, name: &str) -> String {
        match self {
            RenameRule::Lower | RenameRule::Snake => name.to_owned(),
            RenameRule::Upper | RenameRule::ScreamingSnake => name.to_ascii_uppercase(),
            RenameRule::Pascal => name.split('_').map(capitalize).collect(),
            RenameRule::Camel => uncapitalize(&RenameRule::Pascal.rename_field(name)),
            RenameRule::Kebab => name.replace('_', "-"),
            RenameRule::ScreamingKebab => name.to_ascii_uppercase().replace('_', "-"),
        }
    }

    /// Converts the name of a variant, which is in Pascal case in Rust.
    pub(crate) fn rename_variant(self, name: &str) -> String {
        match self {
            RenameRule::Pascal => name.to_owned(),
            RenameRule::Lower => name.to_ascii_lowercase(),
            RenameRule::Upper => name.to_ascii_uppercase(),
            RenameRule::Camel => uncapitalize(name),
            RenameRule::Snake => pascal_to_snake(name),
            RenameRule::ScreamingSnake => pascal_to_snake(name).to_ascii_uppercase(),
            RenameRule::Kebab => pascal_to_snake(name).replace('_', "-"),
            RenameRule::ScreamingKebab => {
                pascal_to_snake(name).to_ascii_uppercase().replace('_', "-")
            }
        }
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
