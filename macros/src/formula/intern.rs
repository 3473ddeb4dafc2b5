//! Equal terms are one allocation.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::rc::{Rc, Weak};

use super::{Formula, Kind};

pub(super) struct Term {
    pub(super) kind: Kind,
    hash: u64,
    /// The arguments that it mentions, sorted, once asked for.
    mentioned: OnceCell<Box<[usize]>>,
    cost: OnceCell<usize>,
}

/// A map by formulas, which are hashed already.
pub(crate) type ByFormula<V> = HashMap<Formula, V, BuildHasherDefault<Mixer>>;

/// A hasher of few instructions: expansion is not optimised in users' builds, and nobody chooses its keys to collide.
#[derive(Default)]
pub(crate) struct Mixer(u64);

impl Hasher for Mixer {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(23) ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    fn write_isize(&mut self, number: isize) {
        self.write_u64(number as u64);
    }

    fn write_i32(&mut self, number: i32) {
        self.write_u64(number as u64);
    }
}

thread_local! {
    /// The terms that are alive, by their hash.
    static TERMS: RefCell<HashMap<u64, Vec<Weak<Term>>, BuildHasherDefault<Mixer>>> = RefCell::default();
}

impl Formula {
    /// The term that is this already, or a new one.
    pub(super) fn intern(kind: Kind) -> Self {
        let mut hasher = Mixer::default();
        kind.hash(&mut hasher);
        let hash = hasher.finish();
        TERMS.with_borrow_mut(|terms| {
            let bucket = terms.entry(hash).or_default();
            if let Some(term) = bucket.iter().filter_map(Weak::upgrade).find(|term| term.kind == kind) {
                return Self(term);
            }
            let term = Rc::new(Term { kind, hash, mentioned: OnceCell::new(), cost: OnceCell::new() });
            bucket.push(Rc::downgrade(&term));
            Self(term)
        })
    }

    /// The arguments that it mentions, in order.
    pub(crate) fn mentioned(&self) -> &[usize] {
        self.0.mentioned.get_or_init(|| {
            if let Some(index) = self.as_argument() {
                return Box::new([index]);
            }
            let mut mentioned: Vec<usize> = self.children().into_iter().flat_map(Formula::mentioned).copied().collect();
            mentioned.sort_unstable();
            mentioned.dedup();
            mentioned.into()
        })
    }

    /// About what a vector of it costs, in additions; shared subterms count once.
    pub(crate) fn cost(&self) -> usize {
        *self.0.cost.get_or_init(|| {
            let mut cost = 0;
            self.visit(&mut |term| cost += term.own_cost());
            cost
        })
    }
}

impl Drop for Term {
    fn drop(&mut self) {
        // At the end of a thread the table may be gone before its terms.
        let _ = TERMS.try_with(|terms| {
            let mut terms = terms.borrow_mut();
            if let Some(bucket) = terms.get_mut(&self.hash) {
                bucket.retain(|term| term.strong_count() > 0);
                if bucket.is_empty() {
                    terms.remove(&self.hash);
                }
            }
        });
    }
}

impl PartialEq for Formula {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Formula {}

impl Hash for Formula {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash.hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_formulas_are_one_allocation() {
        let make = |first: usize, second: usize| {
            Formula::apply("tanh", &[Formula::argument(first) * Formula::argument(second)])
        };
        assert!(Rc::ptr_eq(&make(0, 1).0, &make(1, 0).0));
        let hash = make(7, 8).0.hash;
        TERMS.with_borrow(|terms| assert!(!terms.contains_key(&hash), "what is dropped is forgotten"));
    }
}
