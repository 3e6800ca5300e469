//! What the server promises, seen from outside.

mod openapi;
