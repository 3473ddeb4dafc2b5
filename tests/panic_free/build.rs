//! Everything has to be defined, but for what the C library has.

fn main() {
    for argument in ["-Wl,-z,defs", "-lm", "-lc"] {
        println!("cargo::rustc-link-arg={argument}");
    }
}
