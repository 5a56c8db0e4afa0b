//! TOML as the spec needs it: a tree that knows where each key and value stands in the file.
//!
//! The grammar is `toml_parser`'s (TOML 1.1, with error recovery). This module puts its events together to a tree
//! ([`read`](read::read)), so that all errors of a file come out in one run and each piece of a decoded string leads
//! back to the bytes that it was written with ([`text`]).

pub mod text;

pub mod scalar;

pub mod tree;

mod message;

pub mod read;

#[cfg(test)]
mod tests;

pub use read::read;
pub use text::Text;
pub use tree::{Content, Entry, Node, Table};
