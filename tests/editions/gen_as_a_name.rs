// `gen` is a keyword since edition 2024.

pub mod gen {
    pub use inngest_core;

    use inngest_core::{IdSegment, InngestEvent};
    use serde::{Deserialize, Serialize};

    pub trait Bound {}

    #[derive(Serialize, Deserialize, InngestEvent)]
    #[inngest(name = "storefront/a", id = "a-{gen}-{b.gen}-{c}", crate = crate::gen::inngest_core)]
    pub struct A {
        pub gen: String,
        pub b: B,
        pub c: C,
    }

    #[derive(Serialize, Deserialize, IdSegment)]
    pub struct B {
        pub gen: String,
    }

    #[derive(Serialize, Deserialize, IdSegment)]
    pub struct C(crate::gen::B);

    #[derive(Serialize, InngestEvent)]
    #[inngest(name = "storefront/gen", id = "gen-{gen}")]
    pub struct gen<'gen, T: crate::gen::Bound>
    where
        T: crate::gen::Bound + IdSegment,
    {
        pub gen: &'gen T,
    }

    #[derive(Serialize, IdSegment)]
    pub enum Kind {
        gen,
    }
}

#[derive(InngestEvents)]
pub enum Generations<'gen, T: crate::gen::Bound>
where
    T: serde::Serialize + IdSegment,
{
    gen(crate::gen::A),
    Boxed(Box<crate::gen::gen<'gen, T>>),
}
