//! A plan for reviewers: one document, written as a comment for a pull request or as a page.
//!
//! In the order of the flow: [`document`] (what a document is), [`contents`] (what a plan says, as sections), [`changes`] and
//! [`around`] (its parts), [`markdown`], [`html`] and [`text`] (how it is written). Lines that others have to say about a plan, such as
//! who gains access and what it costs, come as sections of their own.

pub mod document;

pub mod contents;

pub mod changes;

mod around;

pub mod escape;

pub mod markdown;

pub mod html;

pub mod text;
