//! TOML text to a checked Spec, with spans.

pub mod toml;
