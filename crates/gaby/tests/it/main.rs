//! What the command line promises, seen from outside: the real binary, in a folder of its own.

mod gaby;

mod arrows;
mod audit;
mod bad_input;
mod connectors;
mod help;
mod killed;
mod knowledge;
mod sealed;
mod tickets;
mod together;
