//! Gradients of every elementwise function, layer, loss and operation against finite differences in double precision,
//! through the real macro. A row of a table is a test; `registry` asks for the rows that are missing.

mod table;

mod elementwise;
mod layers;
mod losses;
mod networks;
mod noticed;
mod operations;
mod registry;
mod scans;
