//! Gradients of every elementwise function, layer, loss and operation against finite differences in double precision,
//! through the real macro: a new row of a table is tested without anyone writing a test.

mod table;

mod elementwise;
mod layers;
mod losses;
mod networks;
mod noticed;
mod operations;
mod registry;
mod scans;
