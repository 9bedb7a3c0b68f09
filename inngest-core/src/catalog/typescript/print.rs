//! Writes types as TypeScript, formatted as by Prettier where that is simple.

use super::types::{Member, Property, Type};

/// The maximum length of a type that is written on one line.
const MAX_LINE: usize = 80;

/// Returns `export type NAME = ..;` with its documentation.
pub(super) fn declaration(name: &str, doc: &str, ty: &Type) -> String {
    let text = match ty {
        Type::Object(properties) if !properties.is_empty() => object(properties, 0),
        ty => print(ty, 0),
    };
    format!("{}export type {name} ={};\n", js_doc(doc, 0), after_sign(&text))
}

/// Returns a documentation comment, or nothing if `doc` is empty.
pub(super) fn js_doc(doc: &str, indent: usize) -> String {
    let margin = " ".repeat(indent);
    let doc = doc.trim().replace("*/", "*\\/");
    match doc.lines().count() {
        0 => String::new(),
        1 => format!("{margin}/** {doc} */\n"),
        _ => {
            let line = |line| format!("{margin} * {line}").trim_end().to_owned() + "\n";
            format!("{margin}/**\n{}{margin} */\n", doc.lines().map(line).collect::<String>())
        }
    }
}

/// Returns `texts` as one documentation. Empty texts are left out.
pub(super) fn paragraphs<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let texts: Vec<&str> = texts.into_iter().filter(|text| !text.is_empty()).collect();
    texts.join("\n\n")
}

/// Returns a string literal. JSON does not escape two characters that older compilers treat as line ends.
pub(super) fn literal(text: &str) -> String {
    let json = serde_json::Value::from(text).to_string();
    json.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

/// Returns `ty` as TypeScript, in lines that are indented by `indent` from the second on. If the first line
/// must be indented too, the text begins with a line break.
fn print(ty: &Type, indent: usize) -> String {
    match ty {
        Type::Atom(text) => text.clone(),
        Type::Object(properties) => {
            let has_doc = properties.iter().any(|property| !property.doc.is_empty());
            let line = inline_object(properties);
            if has_doc || !fits(&line) { object(properties, indent) } else { line }
        }
        Type::Array(item) => format!("{}[]", operand(item, indent)),
        Type::Tuple { items, required, rest } => {
            let items = items.iter().enumerate().map(|(index, item)| {
                if index < *required {
                    print(item, indent)
                } else {
                    format!("{}?", operand(item, indent))
                }
            });
            let rest = rest.as_ref().map(|rest| format!("...{}[]", operand(rest, indent)));
            format!("[{}]", items.chain(rest).collect::<Vec<_>>().join(", "))
        }
        Type::Union(members) => union(members, indent),
        Type::Intersection(parts) => {
            let parts: Vec<String> = parts.iter().map(|part| operand(part, indent)).collect();
            parts.join(" & ")
        }
    }
}

/// Returns `ty`, in parentheses if it has an operator.
fn operand(ty: &Type, indent: usize) -> String {
    let text = print(ty, indent);
    match ty {
        Type::Union(_) | Type::Intersection(_) if text.starts_with('\n') => {
            format!("({text}\n{})", " ".repeat(indent))
        }
        Type::Union(_) | Type::Intersection(_) => format!("({text})"),
        _ => text,
    }
}

fn union(members: &[Member], indent: usize) -> String {
    let has_doc = members.iter().any(|member| !member.doc.is_empty());
    let line: Vec<String> = members.iter().map(|member| print(&member.ty, indent)).collect();
    let line = line.join(" | ");
    if !has_doc && fits(&line) {
        return line;
    }
    let margin = " ".repeat(indent + 2);
    let members = members.iter().map(|Member { doc, ty }| {
        format!("\n{}{margin}| {}", js_doc(doc, indent + 2), print(ty, indent + 4))
    });
    members.collect()
}

fn inline_object(properties: &[Property]) -> String {
    let members: Vec<String> = properties.iter().map(|property| signature(property, 0)).collect();
    if members.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", members.join("; ")) }
}

fn object(properties: &[Property], indent: usize) -> String {
    let margin = " ".repeat(indent + 2);
    let members = properties.iter().map(|property| {
        let doc = js_doc(&property.doc, indent + 2);
        format!("{doc}{margin}{};\n", signature(property, indent + 2))
    });
    format!("{{\n{}{}}}", members.collect::<String>(), " ".repeat(indent))
}

fn signature(property: &Property, indent: usize) -> String {
    let optional = if property.optional { "?" } else { "" };
    let ty = print(&property.ty, indent);
    format!("{}{optional}:{}", property.key, after_sign(&ty))
}

/// Returns the text of a type as it follows `=` or `:`.
fn after_sign(text: &str) -> String {
    if text.starts_with('\n') { text.to_owned() } else { format!(" {text}") }
}

fn fits(line: &str) -> bool {
    !line.contains('\n') && line.chars().count() <= MAX_LINE
}
