//! Tests of the whole pipeline: the expansions, and that it never panics.

mod ui;

use proc_macro2::TokenStream;
use proptest::prelude::*;

use crate::{id_segment, inngest_event, inngest_events};

fn expand_event(source: &str) -> TokenStream {
    inngest_event(source.parse().expect("the source is tokens"))
}

fn expand_segment(source: &str) -> TokenStream {
    id_segment(source.parse().expect("the source is tokens"))
}

fn expand_event_enum(source: &str) -> TokenStream {
    inngest_events(source.parse().expect("the source is tokens"))
}

/// Compares an expansion without the `__inngest::` in it.
fn assert_expands(expansion: &TokenStream, expected: &str) {
    let short = expansion.to_string().replace("__inngest :: ", "");
    let file = syn::parse_str(&short).expect("the expansion is a file");
    let found = prettyplease::unparse(&file);
    let lines: Vec<_> = found.lines().map(|line| format!("        {line}")).collect();
    let indented = lines.join("\n");
    assert!(format!("\n{indented}\n    ") == expected, "found:\n{indented}\n");
}

#[test]
fn an_event_without_an_id_has_no_dedup_id() {
    let source = r#"
        #[inngest(name = "storefront/cart.updated", version = "1")]
        struct CartUpdated { cart_id: String }
    "#;
    assert_expands(
        &expand_event(source),
        r#"
        const _: () = {
            use ::inngest_core::private as __inngest;
            #[automatically_derived]
            impl InngestEvent for CartUpdated {
                const NAME: Text = "storefront/cart.updated";
                const VERSION: OptionalText = Some("1");
                #[inline]
                fn dedup_id(&self) -> OptionalId {
                    Ok(None)
                }
            }
        };
    "#,
    );
}

#[test]
fn an_event_with_an_id_passes_the_literal_and_its_fields_to_format_args() {
    let source = r#"
        #[inngest(name = "storefront/cart.updated", id = "cart-updated-{type}-{at}")]
        struct CartUpdated { r#type: String, at: u64 }
    "#;
    assert_expands(
        &expand_event(source),
        r#"
        const _: () = {
            use ::inngest_core::private as __inngest;
            #[automatically_derived]
            impl InngestEvent for CartUpdated {
                const NAME: Text = "storefront/cart.updated";
                const ID_TEMPLATE: OptionalText = Some("cart-updated-{type}-{at}");
                #[inline]
                fn dedup_id(&self) -> OptionalId {
                    dedup_id(self)
                }
                #[inline]
                fn write_dedup_id(&self, __out: &mut dyn Write) -> Written {
                    let __id = &IdWriter::new("storefront/cart.updated");
                    __id.write(
                        __out,
                        format_args!(
                            "cart-updated-{type}-{at}", type = __id.delimited('-', "type", & self
                            .r#type), at = __id.last("at", & self.r#at)
                        ),
                    )
                }
            }
            #[automatically_derived]
            impl Deduplicated for CartUpdated
            where
                for<'__event> Self: InngestEvent,
            {}
        };
    "#,
    );
}

#[test]
fn a_generic_event_has_bounds_on_itself_and_its_segments() {
    let source = r#"
        #[inngest(name = "storefront/cart.updated", id = "cart-updated-{id}")]
        struct CartUpdated<T: Clone = String, const N: usize = 1> where T: Copy { id: Id<T>, rest: [T; N] }
    "#;
    assert_expands(
        &expand_event(source),
        r#"
        const _: () = {
            use ::inngest_core::private as __inngest;
            #[automatically_derived]
            impl<T: Clone, const N: usize> InngestEvent for CartUpdated<T, N>
            where
                T: Copy,
                Self: Serialize,
                Id<T>: IdSegment,
            {
                const NAME: Text = "storefront/cart.updated";
                const ID_TEMPLATE: OptionalText = Some("cart-updated-{id}");
                #[inline]
                fn dedup_id(&self) -> OptionalId {
                    dedup_id(self)
                }
                #[inline]
                fn write_dedup_id(&self, __out: &mut dyn Write) -> Written {
                    let __id = &IdWriter::new("storefront/cart.updated");
                    __id.write(
                        __out,
                        format_args!("cart-updated-{id}", id = __id.last("id", & self.r#id)),
                    )
                }
            }
            #[automatically_derived]
            impl<T: Clone, const N: usize> Deduplicated for CartUpdated<T, N>
            where
                T: Copy,
                for<'__event> Self: InngestEvent,
            {}
        };
    "#,
    );
}

#[test]
fn a_nested_path_is_a_positional_argument() {
    let source = r#"
        #[inngest(name = "cart.updated", id = "cart-{{{cart.type}}}-{cart.type}")]
        struct CartUpdated<'a> { cart: &'a Cart }
    "#;
    assert_expands(
        &expand_event(source),
        r#"
        const _: () = {
            use ::inngest_core::private as __inngest;
            #[automatically_derived]
            impl<'a> InngestEvent for CartUpdated<'a> {
                const NAME: Text = "cart.updated";
                const ID_TEMPLATE: OptionalText = Some("cart-{{{cart.type}}}-{cart.type}");
                #[inline]
                fn dedup_id(&self) -> OptionalId {
                    dedup_id(self)
                }
                #[inline]
                fn write_dedup_id(&self, __out: &mut dyn Write) -> Written {
                    let __id = &IdWriter::new("cart.updated");
                    __id.write(
                        __out,
                        format_args!(
                            "cart-{{{}}}-{}", __id.delimited('}', "cart.type", & self.r#cart
                            .r#type), __id.last("cart.type", & self.r#cart.r#type)
                        ),
                    )
                }
            }
            #[automatically_derived]
            impl<'a> Deduplicated for CartUpdated<'a>
            where
                for<'__event> Self: InngestEvent,
            {}
        };
    "#,
    );
}

#[test]
fn an_event_with_errors_still_implements_its_traits() {
    let source = r#"
        #[inngest(name = "cart updated")]
        struct CartUpdated;
    "#;
    assert_expands(
        &expand_event(source),
        r#"
        ::core::compile_error! {
            "event names have no white space, but there is ` ` at byte 4"
        }
        const _: () = {
            use ::inngest_core::private as __inngest;
            #[automatically_derived]
            impl InngestEvent for CartUpdated
            where
                for<'__fallback> Self: Serialize,
            {
                const NAME: Text = "CartUpdated";
                fn dedup_id(&self) -> OptionalId {
                    unreachable!()
                }
            }
            #[automatically_derived]
            impl Deduplicated for CartUpdated
            where
                for<'__fallback> Self: Serialize,
            {}
        };
    "#,
    );
}

#[test]
fn a_newtype_has_the_text_of_its_inner_value() {
    assert_expands(
        &expand_segment("struct CartId<T>(Uuid, PhantomData<T>);"),
        r"
        const _: () = {
            use ::inngest_core::private as __inngest;
            #[automatically_derived]
            impl<T> IdSegment for CartId<T> {
                const SELF_DELIMITING: bool = <NewtypeField<
                    Uuid,
                > as Delegate<Uuid>>::SELF_DELIMITING;
                #[inline]
                fn write_segment(&self, __out: &mut dyn Write) -> fmt::Result {
                    <NewtypeField<Uuid> as Delegate<Uuid>>::write_segment(&self.0, __out)
                }
            }
        };
    ",
    );
}

#[test]
fn a_fieldless_enum_has_the_serialized_names_of_its_variants() {
    let source = r#"
        #[serde(rename_all = "kebab-case")]
        enum State { Open, HalfOpen, #[serde(rename = "shut")] Closed }
    "#;
    assert_expands(
        &expand_segment(source),
        r#"
        const _: () = {
            use ::inngest_core::private as __inngest;
            #[automatically_derived]
            impl IdSegment for State {
                #[inline]
                fn write_segment(&self, __out: &mut dyn Write) -> fmt::Result {
                    __out
                        .write_str(
                            match *self {
                                Self::Open => "open",
                                Self::HalfOpen => "half-open",
                                Self::Closed => "shut",
                            },
                        )
                }
            }
        };
    "#,
    );
}

#[test]
fn an_enum_of_events_delegates_to_the_event_it_holds() {
    assert_expands(
        &expand_event_enum("enum Storefront<'a> { Opened(Opened), Updated(Box<Updated<'a>>) }"),
        r#"
        const _: () = {
            use ::inngest_core::private as __inngest;
            #[automatically_derived]
            impl<'a> InngestEvents for Storefront<'a> {
                const EVENTS: &'static [EventInfo] = &[
                    EventInfo::new(
                        "Opened",
                        <Opened as InngestEvent>::NAME,
                        <Opened as InngestEvent>::VERSION,
                        <Opened as InngestEvent>::ID_TEMPLATE,
                    ),
                    EventInfo::new(
                        "Updated",
                        <Box<Updated<'a>> as InngestEvent>::NAME,
                        <Box<Updated<'a>> as InngestEvent>::VERSION,
                        <Box<Updated<'a>> as InngestEvent>::ID_TEMPLATE,
                    ),
                ];
                fn visit_event<__V: EventVisitor>(&self, __visitor: __V) -> __V::Output {
                    match self {
                        Self::Opened(__event) => {
                            <Opened as InngestEvent>::accept(__event, __visitor)
                        }
                        Self::Updated(__event) => {
                            <Box<Updated<'a>> as InngestEvent>::accept(__event, __visitor)
                        }
                    }
                }
            }
            #[automatically_derived]
            impl<'a> InngestEvents for &Storefront<'a> {
                const EVENTS: &'static [EventInfo] = <Storefront<'a> as InngestEvents>::EVENTS;
                fn visit_event<__V: EventVisitor>(&self, __visitor: __V) -> __V::Output {
                    InngestEvents::visit_event(*self, __visitor)
                }
            }
            #[automatically_derived]
            impl<'a> From<Opened> for Storefront<'a> {
                #[inline]
                fn from(__event: Opened) -> Self {
                    Self::Opened(__event)
                }
            }
            #[automatically_derived]
            impl<'a> From<Box<Updated<'a>>> for Storefront<'a> {
                #[inline]
                fn from(__event: Box<Updated<'a>>) -> Self {
                    Self::Updated(__event)
                }
            }
            #[automatically_derived]
            impl<'__de, 'a> Deserialize<'__de> for Storefront<'a>
            where
                for<'__data> Opened: Deserialize<'__data>,
                for<'__data> Box<Updated<'a>>: Deserialize<'__data>,
            {
                fn deserialize<__D: Deserializer<'__de>>(
                    __deserializer: __D,
                ) -> Result<Self, __D::Error> {
                    decode(
                        __deserializer,
                        |__index, __event| match __index {
                            0usize => __event.decode(Self::Opened),
                            1usize => __event.decode(Self::Updated),
                            _ => unreachable!(),
                        },
                    )
                }
            }
            const __CONFLICTS: Conflicts<2usize> = Conflicts::find(
                <Storefront<'static> as InngestEvents>::EVENTS,
            );
            const _: () = __CONFLICTS.assert_none(1usize);
            catalog_events! {
                { #[automatically_derived] impl < 'a > CatalogEvents for Storefront < 'a > where
                for < '__schema > Opened : EventSchema, for < '__schema > Box < Updated < 'a > >
                : EventSchema } Opened, Box < Updated < 'a > >,
            }
        };
    "#,
    );
}

#[test]
fn expansions_use_only_the_given_crate_path() {
    let event = expand_event(
        r#"
        #[inngest(name = "a/b", id = "a-{a}-{b.c}", version = "1", crate = ::my_sdk::events)]
        struct A<T> { a: T, b: B }
        "#,
    );
    let segment = expand_segment("#[inngest(crate = ::my_sdk::events)] struct A<T>(T);");
    let event_enum =
        expand_event_enum("#[inngest(crate = ::my_sdk::events)] enum A<T> { B(B), C(C<T>) }");
    let broken = expand_event("#[inngest(crate = ::my_sdk::events)] struct A<T>(T);");
    for expansion in [event, segment, event_enum, broken] {
        let expansion = expansion.to_string();
        assert!(expansion.contains(":: my_sdk :: events :: private as __inngest"), "{expansion}");
        assert!(!expansion.contains("inngest_core"), "{expansion}");
    }
}

#[test]
fn a_reserved_key_that_is_not_in_the_data_is_accepted() {
    for attribute in ["skip", "skip_serializing", "flatten"] {
        let source = format!(
            r#"#[inngest(name = "a/b")] struct A {{ a: u8, #[serde({attribute})] _inngest: B }}"#
        );
        let expansion = expand_event(&source).to_string();
        assert!(!expansion.contains("compile_error"), "{expansion}");
    }
}

#[test]
fn the_allowed_and_expected_lints_of_an_item_are_allowed_for_its_expansion() {
    for level in ["allow", "expect"] {
        let source =
            format!(r#"#[{level}(deprecated)] #[inngest(name = "a/b")] struct A {{ a: Old }}"#);
        let expansion = expand_event(&source).to_string();
        assert!(expansion.contains("# [allow (deprecated)]"), "{expansion}");
    }
}

#[test]
fn the_fields_of_a_packed_struct_are_copied() {
    for (repr, value) in [
        ("C", "& self . r#a"),
        ("packed", "& { self . r#a }"),
        ("C, packed(2)", "& { self . r#a }"),
    ] {
        let source = format!(
            r#"#[repr({repr})] #[inngest(name = "a/b", id = "b-{{a}}")] struct A {{ a: u8 }}"#
        );
        let expansion = expand_event(&source).to_string();
        assert!(expansion.contains(value), "{expansion}");
    }
}

/// Tokens that are valid, or nearly valid, in attributes and items.
const PIECES: &str = r##"
    name id version crate nmae serde inngest rename rename_all skip self struct enum union where
    = , : :: ! # - $ < > 'a ( ) [ ] { } _ 1 1.5 'x' A T u8 String r#type größe ::a::b /**doc*/
    "a/b" "a-{a}" "{a}{b}%{c}" "{" "}" "{{" "" b"x" c"x" r#"a-{a}"# "x"y "\u{7b}a}" concat!("a")
"##;

fn any_tokens() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(PIECES.split_whitespace().collect::<Vec<_>>());
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.join(" "))
}

fn any_item() -> impl Strategy<Value = String> {
    let body = prop::sample::select(vec![
        "struct A { a: u8, b: String, r#type: T }",
        "struct A<'a, T: 'a, const N: usize = 1> where T: B { a: &'a T, b: [T; N], c: <T as B>::C }",
        "struct A;",
        "struct A {}",
        "struct A(u8);",
        "struct A(u8, PhantomData<T>);",
        "enum A { B, C(u8), D {} }",
        "enum A { B, C = 3 }",
        "enum A<'a, T> { B(B), r#C(&'a C<T>), D(<T as E>::F) }",
        "union A { a: u8 }",
        "pub(in a::b) struct A { pub a: [u8; { 1 + 1 }], b: fn(u8) -> dyn B, c: impl D, d: m!(e) }",
    ]);
    let attribute =
        |path: &'static str| any_tokens().prop_map(move |content| format!("#[{path}({content})]"));
    let attribute = || prop_oneof![4 => attribute("inngest"), 1 => attribute("serde")];
    (prop::collection::vec(attribute(), 0..3), body, attribute(), any::<prop::sample::Index>())
        .prop_map(|(attributes, body, inner, position)| {
            let openings = body.match_indices(['{', '(']);
            let offsets: Vec<usize> = openings.map(|(offset, _)| offset + 1).collect();
            let body = match offsets.as_slice() {
                [] => body.to_owned(),
                offsets => {
                    let (before, after) = body.split_at(*position.get(offsets));
                    format!("{before}{inner}{after}")
                }
            };
            format!("{} {body}", attributes.join(" "))
        })
}

fn assert_never_panics(source: &str) {
    if let Ok(tokens) = source.parse::<TokenStream>() {
        for expansion in
            [inngest_event(tokens.clone()), id_segment(tokens.clone()), inngest_events(tokens)]
        {
            if let Err(error) = syn::parse2::<syn::File>(expansion.clone()) {
                panic!("{error} in {expansion}");
            }
        }
    }
}

#[test]
fn a_trait_object_is_no_event_and_does_not_break_the_expansion() {
    for source in ["enum A { B(dyn C +), D(D) }", "enum A<T> { B(C<T> + Send +), D(D) }"] {
        assert_never_panics(source);
        let expansion = expand_event_enum(source).to_string();
        assert!(expansion.contains("but `B` has a trait object"), "{expansion}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..Default::default() })]

    #[test]
    fn arbitrary_tokens_do_not_panic(source in any_tokens()) {
        assert_never_panics(&source);
    }

    #[test]
    fn arbitrary_attributes_do_not_panic(source in any_item()) {
        assert_never_panics(&source);
    }

    #[test]
    fn arbitrary_templates_do_not_panic(
        template in prop_oneof!["[a{}.:0-9%\\- \"\\\\]{0,16}", any::<String>()],
        name in prop_oneof!["[a-z/.*\\s]{0,12}", any::<String>()],
    ) {
        assert_never_panics(&format!(
            "#[inngest(name = {name:?}, id = {template:?})] struct A {{ a: u8, aa: u8 }}"
        ));
    }
}
