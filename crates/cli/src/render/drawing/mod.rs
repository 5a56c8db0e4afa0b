//! Graphs drawn: what there is to draw, where it goes, and SVG.
//!
//! In the order of the flow: [`graph`] (boxes and who needs whom, from a spec or from a plan), [`layout`] (columns and
//! heights), [`svg`] and [`text`] (how it is written).

pub mod graph;

pub mod layout;

pub mod svg;

pub mod text;
