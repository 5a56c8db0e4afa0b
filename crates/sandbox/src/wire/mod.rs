//! The AWS protocols: HTTP requests read into calls, answers written as JSON or XML.

mod answer;
mod call;
mod form;
mod xml;

pub(crate) use answer::{Refusal, Reply, refused, replied};
pub(crate) use call::{Call, Service};
pub(crate) use form::{Form, encode};
pub(crate) use xml::Xml;
