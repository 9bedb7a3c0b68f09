//! Translates a schema to a type.

use serde_json::{Map, Value};
use unicode_ident::{is_xid_continue, is_xid_start};

use super::inner_types::{self, InnerTypes};
use super::print::{literal, paragraphs};
use super::types::{Member, Property, Type};
use crate::catalog::CatalogError;
use crate::catalog::contract::Contract;
use crate::event::json_path::{self, Step};

/// Keywords that say nothing about the type, or that TypeScript cannot express.
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

/// The length up to which an array of one length is a tuple.
const MAX_TUPLE: u64 = 16;

/// Functions see encrypted data as it was before: the package of Inngest decrypts it.
const ENCRYPTED: &str = "Encrypted on the way: functions receive this value if their client has the \
    encryption\nmiddleware of Inngest with the same key.";

type Keywords = Map<String, Value>;

/// The translation of the schema of one event.
pub(super) struct Translation<'a> {
    pub(super) contract: &'a Contract,
    /// The name of the event's type.
    pub(super) name: &'a str,
    pub(super) inner_types: &'a mut InnerTypes,
}

impl Translation<'_> {
    /// Returns the type of the event's data.
    pub(super) fn data(&mut self) -> Result<Type, CatalogError> {
        let ty = self.ty(&self.contract.schema, "data")?;
        // Inngest sends an object without fields for null.
        let is_empty = ty == Type::Object(Vec::new()) || ty == Type::atom("null");
        Ok(if is_empty { Type::atom("Record<string, never>") } else { ty })
    }

    /// Returns the type of the values at `path`, which `schema` describes.
    fn ty(&mut self, schema: &Value, path: &str) -> Result<Type, CatalogError> {
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
                let members = members.collect::<Result<Vec<_>, _>>()?;
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
        Ok(if is_open(keywords) { open(ty) } else { ty })
    }

    fn member(&mut self, schema: &Value, path: &str) -> Result<Member, CatalogError> {
        Ok(Member { doc: doc(schema), ty: self.ty(schema, path)? })
    }

    /// Returns the type that the keywords describe which have no schemas of the whole value: `enum`, `const`,
    /// `type` and those of objects and arrays.
    fn own(
        &mut self,
        keywords: &Keywords,
        path: &str,
        has_parts: bool,
    ) -> Result<Type, CatalogError> {
        if let Some(value) = keywords.get("const") {
            return self.literal(value, "const", path);
        }
        if let Some(values) = keywords.get("enum") {
            let values = values.as_array().ok_or_else(|| self.unsupported(path, "enum"))?;
            let literals = values.iter().map(|value| self.literal(value, "enum", path));
            return Ok(Type::union_of(literals.collect::<Result<Vec<_>, _>>()?));
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
        Ok(Type::union_of(types.collect::<Result<Vec<_>, _>>()?))
    }

    fn object(
        &mut self,
        keywords: &Keywords,
        path: &str,
        has_parts: bool,
    ) -> Result<Type, CatalogError> {
        let required: Vec<&str> = match keywords.get("required") {
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            Some(_) => return Err(self.unsupported(path, "required")),
            None => Vec::new(),
        };
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
        let values = Type::union_of(values.collect::<Result<Vec<_>, _>>()?);
        let is_closed = values == Type::never();
        for name in required.iter().filter(|name| described.iter().all(|(it, _)| it != *name)) {
            add(name, String::new(), if is_closed { Type::unknown() } else { values.clone() });
        }
        // The tag of an enum, by which functions distinguish its variants, comes first.
        properties.sort_by_key(|property| !property.ty.begins(|first| first == '"'));
        if !is_closed {
            // The properties of other parts are not among `properties`.
            let ty = if has_parts { Type::unknown() } else { index(values, &properties) };
            let key = "[key: string]".to_owned();
            properties.push(Property { key, doc: String::new(), optional: false, ty });
        }
        Ok(Type::Object(properties))
    }

    fn array(&mut self, keywords: &Keywords, path: &str) -> Result<Type, CatalogError> {
        let path = format!("{path}[]");
        let limit = |keyword| keywords.get(keyword).and_then(Value::as_u64);
        let (min, max) = (limit("minItems"), limit("maxItems"));
        let item = keywords.get("items").map(|schema| self.ty(schema, &path)).transpose()?;
        let Some(schemas) = self.schemas(keywords, "prefixItems", &path)? else {
            let item = item.unwrap_or_else(Type::unknown);
            return Ok(match min {
                Some(count) if min == max && count <= MAX_TUPLE => {
                    let items: Vec<Type> = (0..count).map(|_| item.clone()).collect();
                    Type::Tuple { required: items.len(), items, rest: None }
                }
                _ => Type::Array(Box::new(item)),
            });
        };
        let items =
            schemas.iter().map(|schema| self.ty(schema, &path)).collect::<Result<Vec<_>, _>>()?;
        let count = |limit: Option<u64>| limit.and_then(|limit| usize::try_from(limit).ok());
        let required = count(min).unwrap_or(0).min(items.len());
        let is_complete = count(max).is_some_and(|max| max <= items.len());
        let rest = item.unwrap_or_else(Type::unknown);
        let rest = (!is_complete && rest != Type::never()).then(|| Box::new(rest));
        Ok(Type::Tuple { items, required, rest })
    }

    fn reference(&mut self, reference: &Value, path: &str) -> Result<Type, CatalogError> {
        let reference = reference.as_str().unwrap_or_default();
        if reference == "#" {
            return Ok(Type::atom(self.name));
        }
        let root = &self.contract.schema;
        let (definition, schema) = inner_types::definition(root, reference)
            .ok_or_else(|| self.unsupported(path, "$ref"))?;
        let (name, is_new) = self.inner_types.name(root, definition);
        if is_new {
            let ty = self.ty(schema, path)?;
            self.inner_types.declarations.insert(name.clone(), (doc(schema), ty));
        }
        Ok(Type::Atom(name))
    }

    /// Returns whether `not` excludes every value. Otherwise it may only exclude single values, as that of
    /// `NonZeroI32` does, which TypeScript cannot express.
    fn is_never(&self, keywords: &Keywords, path: &str) -> Result<bool, CatalogError> {
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

    fn literal(&self, value: &Value, keyword: &str, path: &str) -> Result<Type, CatalogError> {
        match value {
            Value::Array(_) | Value::Object(_) => Err(self.unsupported(path, keyword)),
            Value::String(text) => Ok(Type::Atom(literal(text))),
            other => Ok(Type::Atom(other.to_string())),
        }
    }

    fn schemas<'s>(
        &self,
        keywords: &'s Keywords,
        keyword: &str,
        path: &str,
    ) -> Result<Option<&'s Vec<Value>>, CatalogError> {
        let schemas = keywords.get(keyword);
        schemas.map(|it| it.as_array().ok_or_else(|| self.unsupported(path, keyword))).transpose()
    }

    fn keyed_schemas<'s>(
        &self,
        keywords: &'s Keywords,
        keyword: &str,
        path: &str,
    ) -> Result<Vec<(&'s String, &'s Value)>, CatalogError> {
        let schemas = keywords
            .get(keyword)
            .map(|it| it.as_object().ok_or_else(|| self.unsupported(path, keyword)));
        Ok(schemas.transpose()?.into_iter().flatten().collect())
    }

    fn unsupported(&self, path: &str, keyword: &str) -> CatalogError {
        CatalogError::Unsupported {
            event: self.contract.name.to_string(),
            path: path.to_owned(),
            keyword: keyword.to_owned(),
        }
    }
}

/// Returns the type of an index signature beside `properties`, which must have that type too.
fn index(values: Type, properties: &[Property]) -> Type {
    let types = properties.iter().map(|property| property.ty.clone());
    let undefined =
        properties.iter().any(|property| property.optional).then(|| Type::atom("undefined"));
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

/// Returns whether more values may be added to the enum.
fn is_open(keywords: &Keywords) -> bool {
    keywords.get("x-open").and_then(Value::as_bool) == Some(true)
}

/// Returns `ty` with all other strings, or numbers, if all its values are strings, or numbers. Editors still
/// suggest the values.
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
    let is = |keyword| schema.get(keyword).and_then(Value::as_bool) == Some(true);
    paragraphs([
        schema.get("description").and_then(Value::as_str).unwrap_or_default(),
        if is("x-open") { "More values may be added: handle others too." } else { "" },
        if is("x-inngest-encrypted") { ENCRYPTED } else { "" },
        if is("deprecated") { "@deprecated" } else { "" },
    ])
}

/// Returns the documentation of a property that `schema` describes.
fn property_doc(schema: &Value) -> String {
    let is_string = match schema.get("type") {
        Some(Value::Array(types)) => types.iter().any(|it| it == "string"),
        ty => ty.is_some_and(|it| it == "string"),
    };
    let format = schema.get("format").and_then(Value::as_str).filter(|_| is_string);
    let format = format.map_or(String::new(), |format| format!("@format {format}"));
    paragraphs([&*doc(schema), &format])
}
