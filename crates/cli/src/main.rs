//! The `terrane` binary.
mod render;
fn main() {}
