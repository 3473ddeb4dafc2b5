//! The parameters of a network while its bodies are read: names by scope, sharing, order.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::error::Diagnostic;
use crate::network::{Initializer, Parameter, Role};

/// Where layers get their names: a body, an inlined function or a field.
#[derive(Debug)]
struct Scope {
    path: Vec<String>,
    counts: HashMap<String, usize>,
    taken: HashSet<String>,
}

/// Parameters in the order of discovery; `finish` puts those of one struct together.
#[derive(Debug, Default)]
pub(super) struct Parameters {
    list: Vec<Parameter>,
    by_path: HashMap<Vec<String>, usize>,
    scopes: Vec<Scope>,
    /// Names of the struct's fields and of public functions, which layers of the outermost scope cannot have.
    fields: Vec<String>,
    pub(super) used: HashSet<usize>,
}

impl Parameters {
    pub(super) fn declare_fields(&mut self, names: impl Iterator<Item = String>) {
        self.fields = names.collect();
    }

    /// Where a field stands in the struct.
    pub(super) fn place(&self, field: &str) -> Option<usize> {
        self.fields.iter().position(|name| name == field)
    }

    /// A scope of its own: `path` from the network's struct.
    pub(super) fn enter_root(&mut self, path: Vec<String>) {
        self.scopes.push(Scope { path, counts: HashMap::new(), taken: HashSet::new() });
    }

    /// The scope of an inlined function: `block_2` in the scope of its caller.
    pub(super) fn enter(&mut self, function: &str) {
        // A size in a signature belongs to no body.
        if self.scopes.is_empty() {
            return self.enter_root(vec![function.into()]);
        }
        let name = self.count(function);
        let mut path = self.scope().path.clone();
        path.push(name);
        self.enter_root(path);
    }

    pub(super) fn leave(&mut self) {
        self.scopes.pop();
    }

    fn scope(&mut self) -> &mut Scope {
        self.scopes.last_mut().unwrap_or_else(|| unreachable!("bodies are read inside a scope"))
    }

    /// The next free `name_1`, `name_2`, … of the scope.
    fn count(&mut self, name: &str) -> String {
        loop {
            let scope = self.scope();
            let count = scope.counts.entry(name.into()).or_insert(0);
            *count += 1;
            let counted = format!("{name}_{count}");
            let root = scope.path.is_empty();
            if scope.taken.insert(counted.clone()) && !(root && self.is_field(&counted)) {
                return counted;
            }
        }
    }

    fn is_field(&self, name: &str) -> bool {
        self.fields.iter().any(|field| field == name)
    }

    /// The path of a layer that is called here.
    pub(super) fn layer_path(&mut self, layer: &str, given: Option<&str>) -> Result<Vec<String>, Diagnostic> {
        let name = match given {
            Some(name) => {
                let scope = self.scope();
                let fresh = scope.taken.insert(name.into());
                let root = scope.path.is_empty();
                if !fresh || (root && self.is_field(name)) {
                    return Err(Diagnostic::LayerName { name: name.into() });
                }
                name.to_string()
            }
            None => self.count(layer),
        };
        let mut path = self.scope().path.clone();
        path.push(name);
        Ok(path)
    }

    /// The number of the parameter at this path, made when it is used first.
    pub(super) fn get_or_make(&mut self, parameter: Parameter) -> Result<usize, Diagnostic> {
        if let Some(&number) = self.by_path.get(&parameter.path) {
            let first = &self.list[number];
            if first.shape != parameter.shape {
                return Err(Diagnostic::SharedShape {
                    path: parameter.path.join("."),
                    first: super::display_shape(&first.shape),
                    second: super::display_shape(&parameter.shape),
                });
            }
            return Ok(number);
        }
        let number = self.list.len();
        self.by_path.insert(parameter.path.clone(), number);
        self.list.push(parameter);
        Ok(number)
    }

    pub(super) fn get(&self, number: usize) -> &Parameter {
        &self.list[number]
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    /// The parameters in the order of memory, fields first and those of one struct together, and the new number of each.
    pub(super) fn finish(self) -> (Vec<Parameter>, Vec<usize>) {
        // The place of each prefix is where it was met first, fields as they are declared.
        let mut places: BTreeMap<Vec<String>, usize> = BTreeMap::new();
        for field in &self.fields {
            let place = places.len();
            places.insert(vec![field.clone()], place);
        }
        for parameter in &self.list {
            for end in 1..=parameter.path.len() {
                let place = places.len();
                places.entry(parameter.path[..end].to_vec()).or_insert(place);
            }
        }
        let key = |parameter: &Parameter| -> Vec<usize> {
            (1..=parameter.path.len()).map(|end| places[&parameter.path[..end]]).collect()
        };
        let mut order: Vec<usize> = (0..self.list.len()).collect();
        order.sort_by_key(|&number| key(&self.list[number]));
        let mut renumbered = vec![0; order.len()];
        for (new, &old) in order.iter().enumerate() {
            renumbered[old] = new;
        }
        let mut list: Vec<Option<Parameter>> = self.list.into_iter().map(Some).collect();
        let sorted = order.iter().filter_map(|&old| list[old].take()).collect();
        (sorted, renumbered)
    }
}

/// A parameter without bounds.
pub(super) fn parameter(
    path: Vec<String>,
    shape: Vec<usize>,
    role: Role,
    initializer: Initializer,
    frozen: bool,
) -> Parameter {
    Parameter { path, shape, role, initializer, frozen, clamp: None }
}
