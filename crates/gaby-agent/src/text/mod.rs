//! Reading what people wrote: words, sentences, and the question inside a ticket.
//!
//! Pure functions over text. Everything that points into a text does so by byte offsets, so that a
//! citation opens the very place.

pub mod question;
pub mod sentences;
pub mod words;
