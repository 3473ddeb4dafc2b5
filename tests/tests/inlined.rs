//! What a step of a tiny network calls: in an optimised program it is one function for each vector unit, in which nothing is
//! called but what [`RARE`] lists, and the C library's copies where the parameters are many.

#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod optimised;

use std::collections::HashMap;
use std::sync::LazyLock;

/// The functions that a step chooses from: for AVX2, for AVX-512, and for neither.
const UNITS: usize = 3;

/// Parts of the names of functions that a usual step does not reach, and how often its code mentions each at most.
const RARE: [(&str, usize); 3] = [
    // The samples of a batch beyond the trainer's capacity.
    ("4pass4rest", 1),
    // The norm of a gradient whose squares are too large for their type: whether it is finite, and how to clip it.
    ("4work8outlined", 2),
    // The powers of Adam's two betas, in the first step and in one that does not follow the last.
    ("__powidf2", 2),
];

/// What the compiler calls for arrays that are too long for a few registers: from 128 bytes on without a vector unit, from 256
/// on with AVX2, from 512 on with AVX-512. Every step copies its gradient.
const COPIES: [&str; 2] = ["memcpy", "memset"];

static ASSEMBLY: LazyLock<String> = LazyLock::new(assembly);

/// The assembly of the library of steps.
fn assembly() -> String {
    let listing = optimised::folder().join("steps.s");
    let emit = format!("--emit=asm={}", listing.display());
    // Without position independence, calls of other libraries name what they call.
    let built = optimised::cargo("rustc", "inlined", &["--", "-C", "relocation-model=static", &emit]);
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    std::fs::read_to_string(listing).expect("the compiler has written it")
}

/// The lines of each function.
fn functions(assembly: &str) -> HashMap<&str, Vec<&str>> {
    let mut functions: HashMap<&str, Vec<&str>> = HashMap::new();
    let mut name = "";
    for line in assembly.lines() {
        match line.strip_suffix(':') {
            // Places within a function have names that begin with a dot.
            Some(label) if !label.starts_with('.') => name = label,
            _ => functions.entry(name).or_default().push(line.trim()),
        }
    }
    functions
}

/// What a function calls, or leaves itself for by a jump.
fn calls<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    let mut calls = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let Some((instruction, operand)) = line.split_once('\t') else { continue };
        if instruction.starts_with("call") || instruction.starts_with('j') && !operand.starts_with(".L") {
            let register = operand.strip_prefix('*').filter(|register| register.starts_with('%'));
            calls.push(register.and_then(|register| held(&lines[..index], register)).unwrap_or(operand));
        }
    }
    calls
}

/// What these lines have last moved to a register.
fn held<'a>(lines: &[&'a str], mut register: &'a str) -> Option<&'a str> {
    for line in lines.iter().rev() {
        let Some((source, target)) = line.split_once('\t').and_then(|(_, operands)| operands.split_once(", ")) else {
            continue;
        };
        if line.starts_with("mov") && target == register {
            if !source.starts_with('%') {
                return Some(source);
            }
            register = source;
        }
    }
    None
}

#[test]
fn a_step_of_a_tiny_network_calls_nothing() {
    let functions = functions(&ASSEMBLY);
    let steps = ["tiny_sgd", "tiny_momentum", "tiny_adam", "tiny_batch", "tiny_smooth", "tiny_longer"];
    for step in steps {
        let units = calls(&functions[step]);
        assert_eq!(units.len(), UNITS, "{step} does more than choose a vector unit: {units:?}");
        for unit in units {
            let lines = functions.get(unit).unwrap_or_else(|| panic!("{step} leaves for {unit}, which is not listed"));
            assert!(lines.iter().any(|line| line.contains("mulp") || line.contains("muls")), "{unit} is no step");
            let mut calls = calls(lines);
            for (rare, most) in RARE {
                for _ in 0..most {
                    if let Some(place) = calls.iter().position(|call| call.contains(rare)) {
                        calls.remove(place);
                    }
                }
            }
            if step == "tiny_longer" {
                calls.retain(|call| !COPIES.iter().any(|copy| call.contains(copy)));
            }
            assert!(calls.is_empty(), "{step} calls, in {unit}, {calls:?}");
        }
    }
}

/// So that calls are known to be seen.
#[test]
fn a_step_of_a_larger_network_or_batch_calls_kernels() {
    let functions = functions(&ASSEMBLY);
    for step in ["large_batch", "large_network"] {
        let calls = calls(&functions[step]);
        assert!(calls.len() > UNITS, "{step} calls only {calls:?}");
        assert!(calls.iter().any(|call| call.contains("kernel")), "{step} calls only {calls:?}");
    }
}
