//! `#[dump("folder")]`: every form of a compilation in files.

use std::path::PathBuf;
use std::{env, fs, io};

use proc_macro2::TokenStream;

use crate::entries::EntryPoints;
use crate::network::Network;

/// Writes the forms into the folder, which is taken from the crate's root, if the declaration asks for it. A folder
/// that can't be written does not stop the compilation: it is said on the compiler's standard error.
pub(crate) fn dump(network: &Network, entries: &EntryPoints, code: &TokenStream) {
    let Some(folder) = &network.dump else { return };
    let root = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default();
    if let Err(error) = write(root.join(folder), network, entries, code) {
        eprintln!("backprop: `{folder}` could not be written: {error}");
    }
}

fn write(folder: PathBuf, network: &Network, entries: &EntryPoints, code: &TokenStream) -> io::Result<()> {
    fs::create_dir_all(&folder)?;
    let file = |stage: &str, text: String| fs::write(folder.join(format!("{}.{stage}", network.name)), text);
    file("network.txt", network.to_string())?;
    for entry in entries.all() {
        file(&format!("{}.graph.txt", entry.name), entry.lowered.to_string())?;
        file(&format!("{}.derivative.txt", entry.name), entry.differentiated.to_string())?;
        file(&format!("{}.adjoint.txt", entry.name), entry.graph.to_string())?;
        file(&format!("{}.plan.txt", entry.name), entry.schedule.to_string())?;
    }
    file("derivation.txt", crate::emit::derivation(network, entries))?;
    file("rs", pretty(code))
}

/// Formatted if it parses as a file, as it should.
fn pretty(code: &TokenStream) -> String {
    syn::parse2(code.clone()).map_or_else(|_| code.to_string(), |file| prettyplease::unparse(&file))
}
