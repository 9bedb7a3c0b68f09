//! The numbers that Inngest would change: it reads each number as a 64-bit float.

/// The largest magnitude up to which every integer has a 64-bit float of its own.
pub(crate) const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

/// The reason why Inngest would change a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum NumberProblem {
    /// It would be rounded to another integer.
    Unsafe,
    /// It is beyond the range of finite floats.
    OutOfRange,
}

/// Returns why Inngest would change `number`, a number as it is written in JSON. Fractions of safe magnitude
/// are never a problem, although a float may round them.
pub(super) fn find_problem(number: &str) -> Option<NumberProblem> {
    let digits = number.strip_prefix('-').unwrap_or(number);
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let is_safe = digits.parse().is_ok_and(|magnitude: u64| magnitude <= MAX_SAFE_INTEGER);
        return if is_safe { None } else { Some(NumberProblem::Unsafe) };
    }
    let magnitude: f64 = digits.parse().ok()?;
    if magnitude.is_infinite() {
        return Some(NumberProblem::OutOfRange);
    }
    #[expect(clippy::cast_precision_loss, reason = "the float of this integer is exact")]
    let is_safe = magnitude <= MAX_SAFE_INTEGER as f64;
    if is_safe || is_text_of(magnitude, digits) { None } else { Some(NumberProblem::Unsafe) }
}

/// Returns whether `number`, which is read as `float`, is also a text of `float`: with the fewest digits that
/// identify it, such as `1e300`, or with all of its digits.
fn is_text_of(float: f64, number: &str) -> bool {
    let digits = significant_digits(number);
    [format!("{float:e}"), format!("{float:.0}")]
        .iter()
        .any(|text| significant_digits(text) == digits)
}

/// Returns the digits of a number without its sign and magnitude.
fn significant_digits(number: &str) -> String {
    let (mantissa, _exponent) = number.split_once(['e', 'E']).unwrap_or((number, ""));
    mantissa.replace('.', "").trim_matches('0').to_owned()
}

#[cfg(test)]
mod tests {
    use super::{NumberProblem, find_problem};

    #[test]
    fn numbers_that_a_float_changes_as_integers_have_a_problem() {
        for number in [
            "9007199254740992",
            "-18446744073709551615",
            "9007199254740993.0",
            "-9007199254740993.0",
            "9.007199254740993e15",
            "90071992547409930E-1",
            "9007199254740993.5",
            "1234567890123456789012345678901234567890.0",
        ] {
            assert_eq!(find_problem(number), Some(NumberProblem::Unsafe), "{number}");
        }
        for number in ["1e400", "-1e400", "1.5E+309", "17976931348623159e292"] {
            assert_eq!(find_problem(number), Some(NumberProblem::OutOfRange), "{number}");
        }
    }

    #[test]
    fn numbers_that_a_float_keeps_or_rounds_as_fractions_have_no_problem() {
        for number in [
            "0",
            "-0",
            "-0.0",
            "9007199254740991",
            "9007199254740991.0",
            "9007199254740992.0",
            "1e16",
            "1.0E+300",
            "-1.7976931348623157e308",
            "0.1000000000000000055511151231257827",
            "3.14159265358979323846264338327950288",
            "1e-400",
            "0e999",
        ] {
            assert_eq!(find_problem(number), None, "{number}");
        }
        for float in [1e17, 1.234_567_890_123_456_7e29, f64::MAX, 2_f64.powi(60), 2_f64.powi(1000)]
        {
            for text in [format!("{float:?}"), format!("{float:e}"), format!("{float:.1}")] {
                assert_eq!(find_problem(&text), None, "{text}");
            }
        }
    }
}
