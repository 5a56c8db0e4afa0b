//! Laws that hold for all policies, on policies, callers and contexts drawn at random from a small world, so that they
//! meet often.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod decisions;
mod texts;
mod world;
