//! Blank text: text without a visible character.

/// Returns whether `text` is empty or consists only of characters that are invisible in every font.
///
/// Such a text identifies nothing. It is usually a missing value.
pub(crate) fn is_blank(text: &str) -> bool {
    text.chars().all(is_invisible)
}

/// Returns whether `c` is white space, a control character, or a character that Unicode's property
/// `Default_Ignorable_Code_Point` makes invisible, such as the zero width space, the byte order mark, marks
/// of direction, variation selectors and Hangul fillers. Two characters without that property are
/// invisible too: annotation marks and the Braille pattern without dots.
fn is_invisible(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(
            c,
            '\u{AD}'
                | '\u{34F}'
                | '\u{61C}'
                | '\u{115F}'..='\u{1160}'
                | '\u{17B4}'..='\u{17B5}'
                | '\u{180B}'..='\u{180F}'
                | '\u{200B}'..='\u{200F}'
                | '\u{202A}'..='\u{202E}'
                | '\u{2060}'..='\u{206F}'
                | '\u{2800}'
                | '\u{3164}'
                | '\u{FE00}'..='\u{FE0F}'
                | '\u{FEFF}'
                | '\u{FFA0}'
                | '\u{FFF0}'..='\u{FFFB}'
                | '\u{1BCA0}'..='\u{1BCA3}'
                | '\u{1D173}'..='\u{1D17A}'
                | '\u{E0000}'..='\u{E0FFF}'
        )
}
