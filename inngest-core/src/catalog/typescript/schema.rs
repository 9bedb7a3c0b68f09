//! Translates a schema to a type.

use serde_json::{Map, Value};
use unicode_ident::{is_xid_continue, is_xid_start};

use super::inner_types::{self, InnerTypes};
use super::print::{literal, paragraphs};
use super::types::{Member, Property, Type};
use crate::catalog::CatalogError;
use crate::catalog::contract::Contract;
use crate::catalog::encrypted::is_encrypted;
use crate::catalog::schema::types;
use crate::event::json_path::{self, Step};

/// Keywords that have no effect on the type, or that TypeScript cannot express.
const IGNORED: &str = "\
    $comment contains contentEncoding contentMediaType default examples exclusiveMaximum \
    exclusiveMinimum format maxContains maxLength maxProperties maximum minContains minLength \
    minProperties minimum multipleOf pattern propertyNames readOnly title uniqueItems writeOnly";

/// Keywords that [`Translation`] reads.
const READ: &str = "\
    $defs $ref additionalProperties allOf anyOf const deprecated description enum items maxItems \
    minItems not oneOf patternProperties prefixItems properties required type unevaluatedProperties";

/// Keywords of objects and of arrays that have no effect on other types.
const OF_OBJECTS: &str =
    "additionalProperties patternProperties properties required unevaluatedProperties";
const OF_ARRAYS: &str = "items prefixItems";

/// The maximum length of a fixed-length array that becomes a tuple.
const MAX_TUPLE: usize = 16;

/// The documentation of an encrypted field, which functions receive decrypted.
const ENCRYPTED: &str = "Encrypted on the way: functions receive this value if their client has the \
    encryption\nmiddleware of Inngest with the same key.";

type Keywords = Map<String, Value>;
type Keyed<'a> = (&'a String, &'a Value);
type Translated<T = Type> = Result<T, CatalogError>;

/// The translation of the schema of one event.
pub(super) struct Translation<'a> {
    pub(super) contract: &'a Contract,
    /// The name of the event's type.
    pub(super) name: &'a str,
    pub(super) inner_types: &'a mut InnerTypes,
}

impl Translation<'_> {
    /// Returns the type of the event's data.
    pub(super) fn data(&mut self) -> Translated {
        let ty = self.ty(&self.contract.schema, "data")?;
        // Inngest sends an object without fields for null.
        let is_empty = ty == Type::Object(Vec::new()) || ty == Type::atom("null");
        Ok(if is_empty { Type::atom("Record<string, never>") } else { ty })
    }

    /// Returns the type of the values at `path`, which `schema` describes.
    fn ty(&mut self, schema: &Value, path: &str) -> Translated {
        let keywords = match schema {
            Value::Bool(true) => return Ok(Type::unknown()),
            Value::Bool(false) => return Ok(Type::never()),
            Value::Object(keywords) => keywords,
            other => return Err(self.unsupported(path, &other.to_string())),
        };
        let known =
            |keyword: &str| [READ, IGNORED].iter().any(|of| of.split(' ').any(|it| it == keyword));
        if let Some(keyword) = keywords.keys().find(|it| !known(it) && !it.starts_with("x-")) {
            return Err(self.unsupported(path, keyword));
        }
        let mut parts = Vec::new();
        if let Some(reference) = keywords.get("$ref") {
            parts.push(self.reference(reference, path)?);
        }
        for keyword in ["oneOf", "anyOf"] {
            if let Some(schemas) = self.schemas(keywords, keyword, path)? {
                let members = schemas.iter().map(|schema| self.member(schema, path));
                let members = members.collect::<Translated<Vec<_>>>()?;
                parts.push(Type::union(members));
            }
        }
        for schema in self.schemas(keywords, "allOf", path)?.into_iter().flatten() {
            parts.push(self.ty(schema, path)?);
        }
        if self.is_never(keywords, path)? {
            parts.push(Type::never());
        }
        let own = self.own(keywords, path, !parts.is_empty())?;
        parts.insert(0, own);
        let ty = Type::intersection(parts);
        Ok(if keywords.get("x-open") == Some(&Value::Bool(true)) { open(ty) } else { ty })
    }

    fn member(&mut self, schema: &Value, path: &str) -> Translated<Member> {
        Ok(Member { doc: doc(schema), ty: self.ty(schema, path)? })
    }

    /// Returns the type that `const`, `enum` or `type` describe, with the keywords of objects and arrays.
    /// `has_parts` is whether other keywords describe the same value.
    fn own(&mut self, keywords: &Keywords, path: &str, has_parts: bool) -> Translated {
        if let Some(value) = keywords.get("const") {
            return self.literal(value, "const", path);
        }
        if let Some(values) = keywords.get("enum") {
            let values = values.as_array().ok_or_else(|| self.unsupported(path, "enum"))?;
            let literals = values.iter().map(|value| self.literal(value, "enum", path));
            return Ok(Type::union_of(literals.collect::<Translated<Vec<_>>>()?));
        }
        let has = |of: &str| of.split(' ').any(|keyword| keywords.contains_key(keyword));
        let types = match keywords.get("type") {
            Some(Value::String(name)) => vec![name.as_str()],
            Some(Value::Array(names)) => {
                names.iter().map(|it| it.as_str().unwrap_or_default()).collect()
            }
            Some(_) => return Err(self.unsupported(path, "type")),
            None if has(OF_OBJECTS) => vec!["object"],
            None if has(OF_ARRAYS) => vec!["array"],
            None => return Ok(Type::unknown()),
        };
        let types = types.into_iter().map(|name| match name {
            "string" | "boolean" | "null" => Ok(Type::atom(name)),
            "integer" | "number" => Ok(Type::atom("number")),
            "array" => self.array(keywords, path),
            "object" => self.object(keywords, path, has_parts),
            _ => Err(self.unsupported(path, "type")),
        });
        Ok(Type::union_of(types.collect::<Translated<Vec<_>>>()?))
    }

    fn object(&mut self, keywords: &Keywords, path: &str, has_parts: bool) -> Translated {
        let required = keywords.get("required").and_then(Value::as_array).into_iter().flatten();
        let required: Vec<&str> = required.filter_map(Value::as_str).collect();
        let mut properties = Vec::new();
        let mut add = |name: &str, doc, ty| {
            properties.push(Property {
                key: key(name),
                doc,
                optional: !required.contains(&name),
                ty,
            });
        };
        let described = self.keyed_schemas(keywords, "properties", path)?;
        for (name, schema) in &described {
            let path = json_path::render(path, &[Step::Key((*name).clone())]);
            add(name, property_doc(schema), self.ty(schema, &path)?);
        }
        let mut values = self.keyed_schemas(keywords, "patternProperties", path)?;
        let others = ["additionalProperties", "unevaluatedProperties"];
        values.extend(others.iter().filter_map(|keyword| keywords.get_key_value(*keyword)));
        let path = format!("{path}[*]");
        let values = values.into_iter().map(|(_, schema)| self.ty(schema, &path));
        let values = Type::union_of(values.collect::<Translated<Vec<_>>>()?);
        let is_closed = values == Type::never();
        for name in required.iter().filter(|name| described.iter().all(|(it, _)| it != *name)) {
            add(name, String::new(), if is_closed { Type::unknown() } else { values.clone() });
        }
        // The tag of an enum, by which functions distinguish its variants, comes first.
        properties.sort_by_key(|property| !property.ty.begins(|first| first == '"'));
        if !is_closed {
            // `properties` does not contain the properties of the other parts.
            let ty = if has_parts { Type::unknown() } else { index(values, &properties) };
            let key = "[key: string]".to_owned();
            properties.push(Property { key, doc: String::new(), optional: false, ty });
        }
        Ok(Type::Object(properties))
    }

    fn array(&mut self, keywords: &Keywords, path: &str) -> Translated {
        let path = format!("{path}[]");
        let limit =
            |keyword| keywords.get(keyword)?.as_u64().and_then(|it| usize::try_from(it).ok());
        let (min, max) = (limit("minItems"), limit("maxItems"));
        let rest = keywords.get("items").map(|schema| self.ty(schema, &path)).transpose()?;
        let rest = rest.unwrap_or_else(Type::unknown);
        let items: Vec<Type> = match (self.schemas(keywords, "prefixItems", &path)?, min) {
            (Some(schemas), _) => {
                schemas.iter().map(|it| self.ty(it, &path)).collect::<Translated<_>>()?
            }
            (None, Some(length)) if min == max && length <= MAX_TUPLE => vec![rest.clone(); length],
            (None, _) => return Ok(Type::Array(Box::new(rest))),
        };
        let has_rest = max.is_none_or(|max| max > items.len()) && rest != Type::never();
        let required = min.unwrap_or(0).min(items.len());
        Ok(Type::Tuple { items, required, rest: has_rest.then(|| Box::new(rest)) })
    }

    fn reference(&mut self, reference: &Value, path: &str) -> Translated {
        let reference = reference.as_str().unwrap_or_default();
        let root = &self.contract.schema;
        let (definition, schema) = inner_types::definition(root, reference)
            .ok_or_else(|| self.unsupported(path, "$ref"))?;
        if is_copy(root, schema) {
            return Ok(Type::atom(self.name));
        }
        let (name, is_new) = self.inner_types.name(root, definition);
        if is_new {
            let ty = self.ty(schema, path)?;
            self.inner_types.declarations.insert(name.clone(), (doc(schema), ty));
        }
        Ok(Type::Atom(name))
    }

    /// Returns whether `not` excludes every value. Otherwise it may only exclude single values, such as the 0
    /// of `NonZeroI32`, which TypeScript cannot express.
    fn is_never(&self, keywords: &Keywords, path: &str) -> Translated<bool> {
        match keywords.get("not") {
            None => Ok(false),
            Some(Value::Bool(excluded)) => Ok(*excluded),
            Some(Value::Object(excluded)) if excluded.is_empty() => Ok(true),
            Some(Value::Object(excluded))
                if excluded.keys().all(|it| it == "const" || it == "enum") =>
            {
                Ok(false)
            }
            Some(_) => Err(self.unsupported(path, "not")),
        }
    }

    fn literal(&self, value: &Value, keyword: &str, path: &str) -> Translated {
        match value {
            Value::Array(_) | Value::Object(_) => Err(self.unsupported(path, keyword)),
            Value::String(text) => Ok(Type::Atom(literal(text))),
            other => Ok(Type::Atom(other.to_string())),
        }
    }

    fn schemas<'s>(
        &self,
        of: &'s Keywords,
        keyword: &str,
        path: &str,
    ) -> Translated<Option<&'s Vec<Value>>> {
        let schemas = of.get(keyword);
        schemas.map(|it| it.as_array().ok_or_else(|| self.unsupported(path, keyword))).transpose()
    }

    fn keyed_schemas<'s>(
        &self,
        of: &'s Keywords,
        keyword: &str,
        path: &str,
    ) -> Translated<Vec<Keyed<'s>>> {
        let schemas =
            of.get(keyword).map(|it| it.as_object().ok_or_else(|| self.unsupported(path, keyword)));
        Ok(schemas.transpose()?.into_iter().flatten().collect())
    }

    fn unsupported(&self, path: &str, keyword: &str) -> CatalogError {
        let (path, keyword) = (path.to_owned(), keyword.to_owned());
        CatalogError::Unsupported { event: self.contract.name.to_string(), path, keyword }
    }
}

/// Returns whether a definition is the event itself. If the data of an event contains a value of its own type, the
/// contract has a copy of the root among the definitions.
fn is_copy(root: &Value, definition: &Value) -> bool {
    let Some((root, definition)) = root.as_object().zip(definition.as_object()) else {
        return false;
    };
    root.iter().filter(|(keyword, _)| *keyword != "$defs").eq(definition)
}

/// Returns the type of an index signature next to `properties`, whose types must be part of it.
fn index(values: Type, properties: &[Property]) -> Type {
    let undefined = Type::atom("undefined");
    let undefined = properties.iter().any(|property| property.optional).then_some(undefined);
    let types = properties.iter().map(|property| property.ty.clone());
    Type::union_of(std::iter::once(values).chain(types).chain(undefined))
}

/// Returns the name of a property as it is written.
fn key(name: &str) -> String {
    let mut chars = name.chars();
    let starts = chars.next().is_some_and(|it| it == '$' || it == '_' || is_xid_start(it));
    if starts && chars.all(|it| it == '$' || is_xid_continue(it)) {
        name.to_owned()
    } else {
        literal(name)
    }
}

/// Returns a type that also allows other strings if all values of `ty` are strings, or other numbers if all are
/// numbers. Editors still suggest the values of `ty`.
fn open(ty: Type) -> Type {
    let members = match &ty {
        Type::Union(members) => members.iter().map(|member| &member.ty).collect(),
        ty => vec![ty],
    };
    let others = if members.iter().all(|it| it.begins(|first| first == '"')) {
        "(string & {})"
    } else if members.iter().all(|it| it.begins(|first| first == '-' || first.is_ascii_digit())) {
        "(number & {})"
    } else {
        return ty;
    };
    Type::union_of([ty, Type::atom(others)])
}

/// Returns the documentation of the type that `schema` describes.
pub(super) fn doc(schema: &Value) -> String {
    let is = |keyword| schema.get(keyword) == Some(&Value::Bool(true));
    paragraphs([
        schema.get("description").and_then(Value::as_str).unwrap_or_default(),
        if is("x-open") { "More values may be added: handle others too." } else { "" },
        if is_encrypted(schema) { ENCRYPTED } else { "" },
        if is("deprecated") { "@deprecated" } else { "" },
    ])
}

/// Returns the documentation of a property that `schema` describes.
fn property_doc(schema: &Value) -> String {
    let is_string = types(schema).contains(&"string");
    let format = schema.get("format").and_then(Value::as_str).filter(|_| is_string);
    let format = format.map_or(String::new(), |format| format!("@format {format}"));
    paragraphs([&*doc(schema), &format])
}
