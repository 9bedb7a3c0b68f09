//! Compares the rules that are compared as text, such as `pattern`, and the keywords that are not understood.

use serde_json::Value;

use super::branch::{Branch, Kind, OVERLAP};
use super::{Comparison, Verdict};

impl Comparison<'_> {
    /// Returns how certain it is that values of `sent` break a rule of `read`, or `None` if they break none.
    pub(super) fn broken_rule(&mut self, sent: &Branch, read: &Branch) -> Option<Verdict> {
        read.rules.iter().filter_map(|(keyword, value)| self.verdict(sent, keyword, value)).max()
    }

    fn verdict(&mut self, sent: &Branch, keyword: &str, value: &Value) -> Option<Verdict> {
        let own = sent.rules.iter().filter(|(own, _)| own == keyword).map(|(_, value)| value);
        let own: Vec<&Value> = own.collect();
        // The same reference can lead to different schemas on the two sides.
        let comparable = keyword != OVERLAP && !value.to_string().contains("\"$ref\"");
        if comparable && own.contains(&value) {
            return None;
        }
        let is_constant = matches!(sent.kind, Kind::Const(_));
        match keyword {
            "not" => self.verdict_of_not(sent, value),
            "multipleOf" => {
                let step = value.as_f64()?;
                let is_multiple = |own: &Value| own.as_f64().is_some_and(|own| own % step == 0.0);
                let constant = if let Kind::Const(value) = &sent.kind { Some(value) } else { None };
                let kept = own.into_iter().chain(constant).any(is_multiple);
                (!kept).then_some(Verdict::Breaks)
            }
            "exclusiveMinimum" | "exclusiveMaximum" => {
                let bound = value.as_f64()?;
                let (min, max) = match &sent.kind {
                    Kind::Number(number) => (number.min, number.max),
                    Kind::Const(value) => (value.as_f64()?, value.as_f64()?),
                    _ => return None,
                };
                let kept = if keyword == "exclusiveMinimum" { bound < min } else { max < bound };
                (!kept).then_some(Verdict::Breaks)
            }
            "uniqueItems" => match &sent.kind {
                Kind::Array(array) if array.max <= 1 => None,
                _ => Some(Verdict::Breaks),
            },
            "format" | "contentEncoding" | "contentMediaType" if !is_constant => {
                Some(Verdict::Breaks)
            }
            "pattern" if own.is_empty() && !is_constant => Some(Verdict::Breaks),
            _ => Some(Verdict::CannotTell),
        }
    }

    fn verdict_of_not(&mut self, sent: &Branch, forbidden: &Value) -> Option<Verdict> {
        let Ok(forbidden) = self.reader.expand(forbidden) else { return Some(Verdict::CannotTell) };
        if forbidden.iter().all(|forbidden| self.disjoint(sent, forbidden, 0)) {
            return None;
        }
        let is_sent = |forbidden: &Branch| match &forbidden.kind {
            Kind::Const(value) => sent.rules.is_empty() && sent.kind.admits(value),
            _ => false,
        };
        Some(if forbidden.iter().any(is_sent) { Verdict::Breaks } else { Verdict::CannotTell })
    }
}
