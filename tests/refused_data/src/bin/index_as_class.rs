use backprop::prelude::*;

fn main() {
    let _ = Dataset::new(vec![[0.0_f32; 8]; 4], vec![0_usize; 4]);
}
