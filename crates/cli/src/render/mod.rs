//! How everything looks: text for people, JSON for tools. Functions of values alone: nothing is printed here.

pub mod paint;

pub mod value_text;

pub mod difference;

pub mod tree_text;

pub mod policy;

pub mod diagnostics;
pub mod object;
