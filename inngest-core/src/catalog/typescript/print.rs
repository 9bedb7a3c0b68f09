//! Writes types as TypeScript, in the layout of Prettier where that is simple.

use unicode_ident::{is_xid_continue, is_xid_start};

use super::types::{Member, Property, Type};

/// The length up to which a type is written on one line.
const MAX_LINE: usize = 80;

/// Returns `export type NAME = ..;` with its documentation.
pub(super) fn declaration(name: &str, doc: &str, ty: &Type) -> String {
    let ty = match ty {
        Type::Object { properties, index } if !(properties.is_empty() && index.is_none()) => {
            object(properties, index.as_deref(), 0)
        }
        ty => print(ty, 0),
    };
    let space = if ty.starts_with('\n') { "" } else { " " };
    format!("{}export type {name} ={space}{ty};\n", js_doc(doc, 0))
}

/// Returns a documentation comment, or nothing if `doc` is empty.
pub(super) fn js_doc(doc: &str, indent: usize) -> String {
    let margin = " ".repeat(indent);
    let doc = doc.trim().replace("*/", "*\\/");
    match doc.lines().count() {
        0 => String::new(),
        1 => format!("{margin}/** {doc} */\n"),
        _ => {
            let lines =
                doc.lines().map(|line| format!("{margin} * {line}").trim_end().to_owned() + "\n");
            format!("{margin}/**\n{}{margin} */\n", lines.collect::<String>())
        }
    }
}

/// Returns `ty` as TypeScript. Lines after the first are indented by `indent` more than they would be; a type
/// that begins on a line of its own begins with a line break.
fn print(ty: &Type, indent: usize) -> String {
    match ty {
        Type::Atom(text) => text.clone(),
        Type::Object { properties, index } => {
            let has_doc = properties.iter().any(|property| !property.doc.is_empty());
            let line = inline_object(properties, index.as_deref());
            if has_doc || line.contains('\n') || line.len() > MAX_LINE {
                object(properties, index.as_deref(), indent)
            } else {
                line
            }
        }
        Type::Array(item) => format!("{}[]", operand(item, indent)),
        Type::Tuple { items, required, rest } => tuple(items, *required, rest.as_deref(), indent),
        Type::Union(members) => union(members, indent),
        Type::Intersection(parts) => {
            let parts: Vec<String> =
                parts.iter().map(|part| operand_of_and(part, indent)).collect();
            parts.join(" & ")
        }
    }
}

/// Returns `ty` in parentheses where an operator binds its parts more closely.
fn operand(ty: &Type, indent: usize) -> String {
    match ty {
        Type::Union(_) | Type::Intersection(_) => parenthesized(ty, indent),
        _ => print(ty, indent),
    }
}

fn operand_of_and(ty: &Type, indent: usize) -> String {
    match ty {
        Type::Union(_) => parenthesized(ty, indent),
        _ => print(ty, indent),
    }
}

fn parenthesized(ty: &Type, indent: usize) -> String {
    let text = print(ty, indent);
    if text.starts_with('\n') {
        format!("({text}\n{})", " ".repeat(indent))
    } else {
        format!("({text})")
    }
}

fn union(members: &[Member], indent: usize) -> String {
    let has_doc = members.iter().any(|member| !member.doc.is_empty());
    let line: Vec<String> =
        members.iter().map(|member| operand_of_or(&member.ty, indent)).collect();
    let line = line.join(" | ");
    if !has_doc && !line.contains('\n') && line.len() <= MAX_LINE {
        return line;
    }
    let margin = " ".repeat(indent + 2);
    let members = members.iter().map(|Member { doc, ty }| {
        format!("\n{}{margin}| {}", js_doc(doc, indent + 2), operand_of_or(ty, indent + 4))
    });
    members.collect()
}

fn operand_of_or(ty: &Type, indent: usize) -> String {
    match ty {
        Type::Intersection(_) => parenthesized(ty, indent),
        _ => print(ty, indent),
    }
}

fn tuple(items: &[Type], required: usize, rest: Option<&Type>, indent: usize) -> String {
    let items = items.iter().enumerate().map(|(index, item)| match index < required {
        true => print(item, indent),
        false => format!("{}?", operand(item, indent)),
    });
    let rest = rest.map(|rest| format!("...{}[]", operand(rest, indent)));
    let items: Vec<String> = items.chain(rest).collect();
    format!("[{}]", items.join(", "))
}

fn inline_object(properties: &[Property], index: Option<&Type>) -> String {
    let properties = properties.iter().map(|property| signature(property, 0));
    let members: Vec<String> = properties.chain(index.map(|ty| index_signature(ty, 0))).collect();
    match members.is_empty() {
        true => "{}".to_owned(),
        false => format!("{{ {} }}", members.join("; ")),
    }
}

fn object(properties: &[Property], index: Option<&Type>, indent: usize) -> String {
    let margin = " ".repeat(indent + 2);
    let properties = properties.iter().map(|property| {
        let doc = js_doc(&property.doc, indent + 2);
        format!("{doc}{margin}{};\n", signature(property, indent + 2))
    });
    let index = index.map(|ty| format!("{margin}{};\n", index_signature(ty, indent + 2)));
    format!("{{\n{}{}}}", properties.chain(index).collect::<String>(), " ".repeat(indent))
}

fn signature(property: &Property, indent: usize) -> String {
    let optional = if property.optional { "?" } else { "" };
    let ty = print(&property.ty, indent);
    let space = if ty.starts_with('\n') { "" } else { " " };
    format!("{}{optional}:{space}{ty}", key(&property.name))
}

fn index_signature(ty: &Type, indent: usize) -> String {
    let ty = print(ty, indent);
    let space = if ty.starts_with('\n') { "" } else { " " };
    format!("[key: string]:{space}{ty}")
}

fn key(name: &str) -> String {
    let starts = name.starts_with(|it| it == '$' || it == '_' || is_xid_start(it));
    if starts && name.chars().all(|it| it == '$' || is_xid_continue(it)) {
        name.to_owned()
    } else {
        literal(name)
    }
}

/// Returns a string literal.
pub(super) fn literal(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
