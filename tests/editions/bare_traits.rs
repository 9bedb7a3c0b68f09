// `Trait` without `dyn` is a type before edition 2021.

pub trait Named {
    fn name(&self) -> String;
}

impl IdSegment for Named {
    fn write_segment(&self, out: &mut std::fmt::Write) -> std::fmt::Result {
        out.write_str(&self.name())
    }
}

impl serde::Serialize for Named {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name())
    }
}

#[derive(Serialize, IdSegment)]
pub struct NamedId(Box<Named>);

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/named", id = "named-{id}-{other}")]
pub struct NamedEvent<T: ?Sized, U: AsRef<Named>>
where
    Box<Named>: IdSegment,
    Box<T>: Serialize,
{
    id: NamedId,
    other: Box<T>,
    #[serde(skip)]
    pub rest: Option<U>,
}

#[derive(InngestEvents)]
pub enum NamedEvents {
    Named(NamedEvent<Named, Box<Named>>),
}
