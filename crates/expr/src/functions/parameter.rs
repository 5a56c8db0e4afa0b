//! What the parameters of functions take and what functions give.

use terrane_model::{Type, Unknown, Value};

/// One parameter.
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) accepts: Accepts,
    pub(crate) takes_null: bool,
    /// Also a value that is itself unknown.
    pub(crate) takes_unknown: bool,
    /// Also a value with unknown parts.
    pub(crate) takes_partial: bool,
    /// Also a value with marks, which then stay on it.
    pub(crate) takes_marks: bool,
}

/// The type that an argument is converted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Accepts {
    Any,
    Number,
    String,
    Bools,
    Strings,
    List,
    Set,
    StringsByKey,
}

impl Accepts {
    pub(crate) fn ty(self) -> Type {
        match self {
            Accepts::Any => Type::Any,
            Accepts::Number => Type::Number,
            Accepts::String => Type::String,
            Accepts::Bools => Type::list(Type::Bool),
            Accepts::Strings => Type::list(Type::String),
            Accepts::List => Type::list(Type::Any),
            Accepts::Set => Type::set(Type::Any),
            Accepts::StringsByKey => Type::map(Type::list(Type::String)),
        }
    }
}

impl Parameter {
    const fn new(name: &'static str, accepts: Accepts) -> Parameter {
        Parameter {
            name,
            accepts,
            takes_null: false,
            takes_unknown: false,
            takes_partial: false,
            takes_marks: false,
        }
    }

    pub(crate) const fn any(name: &'static str) -> Parameter {
        Parameter::new(name, Accepts::Any)
    }

    pub(crate) const fn number(name: &'static str) -> Parameter {
        Parameter::new(name, Accepts::Number)
    }

    pub(crate) const fn string(name: &'static str) -> Parameter {
        Parameter::new(name, Accepts::String)
    }

    pub(crate) const fn of(name: &'static str, accepts: Accepts) -> Parameter {
        Parameter::new(name, accepts)
    }

    pub(crate) const fn null(mut self) -> Parameter {
        self.takes_null = true;
        self
    }

    pub(crate) const fn unknown(mut self) -> Parameter {
        self.takes_unknown = true;
        self
    }

    pub(crate) const fn partial(mut self) -> Parameter {
        self.takes_partial = true;
        self
    }

    pub(crate) const fn marks(mut self) -> Parameter {
        self.takes_marks = true;
        self
    }
}

/// The type of a result that is not known yet.
#[derive(Clone, Copy)]
pub(crate) enum Returns {
    Bool,
    Number,
    String,
    Strings,
    /// Of no certain type, but not null.
    Any,
    /// It follows from the arguments; the value is not null.
    From(fn(&[Value]) -> Type),
    /// It follows from the arguments, and may be null.
    MaybeNull(fn(&[Value]) -> Type),
}

impl Returns {
    /// The result while it is unknown.
    pub(crate) fn unknown(self, given: &[Value]) -> Value {
        let ty = match self {
            Returns::Bool => Type::Bool,
            Returns::Number => Type::Number,
            Returns::String => Type::String,
            Returns::Strings => Type::list(Type::String),
            Returns::Any => Type::Any,
            Returns::From(ty) => ty(given),
            Returns::MaybeNull(ty) => return Value::unknown(ty(given)),
        };
        Value::unknown_with(Unknown::not_null(ty))
    }
}
