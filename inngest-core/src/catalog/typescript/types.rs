//! The types of TypeScript that a schema is translated to.

/// A type.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Type {
    /// A keyword, a literal or the name of a type.
    Atom(String),
    Object(Vec<Property>),
    Array(Box<Type>),
    Tuple {
        items: Vec<Type>,
        /// The number of items that are never left out.
        required: usize,
        /// The type of any number of items after these.
        rest: Option<Box<Type>>,
    },
    Union(Vec<Member>),
    Intersection(Vec<Type>),
}

/// A property of an object, or the index signature of its other properties.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Property {
    /// The name as it is written: `sku`, `"odd key"`, `[key: string]`.
    pub(super) key: String,
    pub(super) doc: String,
    pub(super) optional: bool,
    pub(super) ty: Type,
}

/// A member of a union.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Member {
    pub(super) doc: String,
    pub(super) ty: Type,
}

impl Type {
    pub(super) fn atom(text: impl Into<String>) -> Type {
        Type::Atom(text.into())
    }

    pub(super) fn unknown() -> Type {
        Type::atom("unknown")
    }

    pub(super) fn never() -> Type {
        Type::atom("never")
    }

    /// Returns whether the type is an atom whose first character is `expected`, as `"` of a string literal is.
    pub(super) fn begins(&self, expected: impl Fn(char) -> bool) -> bool {
        matches!(self, Type::Atom(text) if text.starts_with(expected))
    }

    /// Returns the union of `members`, each once.
    pub(super) fn union(members: impl IntoIterator<Item = Member>) -> Type {
        let mut unique: Vec<Member> = Vec::new();
        for Member { doc, ty } in members {
            let members = match ty {
                Type::Union(inner) => inner,
                ty => vec![Member { doc, ty }],
            };
            for member in members {
                if member.ty == Type::unknown() {
                    return member.ty;
                }
                if member.ty != Type::never() && unique.iter().all(|it| it.ty != member.ty) {
                    unique.push(member);
                }
            }
        }
        match unique.len() {
            0 => Type::never(),
            1 if unique[0].doc.is_empty() => unique.remove(0).ty,
            _ => Type::Union(unique),
        }
    }

    /// Returns the union of `types`, each once.
    pub(super) fn union_of(types: impl IntoIterator<Item = Type>) -> Type {
        Type::union(types.into_iter().map(|ty| Member { doc: String::new(), ty }))
    }

    /// Returns the intersection of `parts`. A part that allows everything is left out.
    pub(super) fn intersection(mut parts: Vec<Type>) -> Type {
        parts.retain(|part| *part != Type::unknown());
        let empty = Type::Object(Vec::new());
        if parts.iter().any(|part| *part != empty) {
            parts.retain(|part| *part != empty);
        }
        parts.dedup();
        match parts.len() {
            0 => Type::unknown(),
            1 => parts.remove(0),
            _ => Type::Intersection(parts),
        }
    }
}
