//! References within a document: what they lead to (JSON Schema Core 8.2), and that they do not lead in circles.

use std::collections::BTreeMap;

use crate::fault::{Reason, SchemaFault};
use crate::json::Json;
use crate::limits;
use crate::schema::{Check, Schema};
use crate::text::clip;
use crate::uri;

/// A schema with a URI of its own: the document, or a subschema with an `$id`.
#[derive(Debug)]
pub(crate) struct Resource<'d> {
    /// Without a fragment. Empty for a document without an `$id`.
    pub(crate) uri: String,
    pub(crate) root: &'d Json<'d>,
}

/// A name for a schema within its resource.
#[derive(Debug)]
pub(crate) struct Anchor<'d> {
    pub(crate) resource: usize,
    pub(crate) name: &'d str,
    pub(crate) schema: &'d Json<'d>,
    pub(crate) is_dynamic: bool,
}

/// A reference that has been seen and not yet followed.
#[derive(Debug, Clone)]
pub(crate) struct Pending<'d> {
    /// The reference as a value.
    pub(crate) value: &'d Json<'d>,
    pub(crate) text: &'d str,
    /// The resource that it stands in.
    pub(crate) resource: usize,
    /// JSON pointer of the reference.
    pub(crate) at: String,
    /// `$dynamicRef`
    pub(crate) is_dynamic: bool,
}

/// What a reference leads to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target<'d> {
    pub(crate) schema: &'d Json<'d>,
    /// The resource that the schema is part of.
    pub(crate) resource: usize,
    /// The name of the `$dynamicAnchor` that a `$dynamicRef` ends at: others of that name may take its place.
    pub(crate) dynamic: Option<&'d str>,
}

impl<'d> Check<'d> {
    /// Follows all references. Gives their targets, and each `$id`'s own schema, by address.
    pub(crate) fn resolve(&mut self) -> Result<BTreeMap<usize, Target<'d>>, Box<SchemaFault>> {
        let mut targets = BTreeMap::new();
        let mut places = BTreeMap::new();
        let mut next = 0;
        // Checking a target may bring new references.
        while let Some(pending) = self.pending.get(next).cloned() {
            let target = self
                .follow(&pending)
                .map_err(|reason| Box::new(SchemaFault { at: pending.at.clone(), reason }))?;
            let target = self.place(&mut places, &pending, target)?;
            targets.insert(pending.value.address(), target);
            next += 1;
        }
        for (index, resource) in self.resources.iter().enumerate().filter(|_| next > 0) {
            if let Some(id) = resource.root.as_object().and_then(|members| members.get("$id")) {
                targets
                    .insert(id.address(), Target { schema: resource.root, resource: index, dynamic: None });
            }
        }
        Ok(targets)
    }

    fn follow(&self, pending: &Pending<'d>) -> Result<Target<'d>, Reason> {
        let (path, fragment) = uri::split_fragment(pending.text);
        let base = self.resources.get(pending.resource);
        let found = if path.is_empty() {
            base.map(|resource| (pending.resource, resource))
        } else {
            let uri = uri::resolve(base.map(|resource| resource.uri.as_str()).unwrap_or_default(), path);
            self.resources.iter().enumerate().find(|(_, resource)| resource.uri == uri)
        };
        let Some((index, resource)) = found else {
            return Err(Reason::Remote { reference: clip(pending.text) });
        };
        let fragment = uri::percent_decode(fragment);
        let target = |schema| Target { schema, resource: index, dynamic: None };
        let found = if fragment.is_empty() {
            Some(target(resource.root))
        } else if let Some(pointer) = fragment.strip_prefix('/') {
            pointed_at(resource.root, pointer).map(target)
        } else {
            let named = |anchor: &&Anchor<'d>| anchor.resource == index && anchor.name == fragment;
            self.anchors.iter().find(named).map(|anchor| Target {
                dynamic: (pending.is_dynamic && anchor.is_dynamic).then_some(anchor.name),
                ..target(anchor.schema)
            })
        };
        found.ok_or_else(|| Reason::Dangling { reference: clip(pending.text) })
    }

    /// Adds to which resource the target belongs, and checks it if no keyword led there. `places` has the resources of
    /// the schemas that are known, by address.
    fn place(
        &mut self,
        places: &mut BTreeMap<usize, usize>,
        pending: &Pending<'d>,
        target: Target<'d>,
    ) -> Result<Target<'d>, Box<SchemaFault>> {
        for (address, resource) in self.schemas.get(places.len()..).unwrap_or_default() {
            places.insert(*address, *resource);
        }
        match places.get(&target.schema.address()) {
            Some(resource) => Ok(Target { resource: *resource, ..target }),
            None => self.stray(pending, target.schema, target.resource).map(|()| target),
        }
    }
}

/// The value that a JSON pointer, without its first slash, points at (RFC 6901 section 4).
fn pointed_at<'d>(root: &'d Json<'d>, pointer: &str) -> Option<&'d Json<'d>> {
    pointer.split('/').try_fold(root, |value, token| match value {
        Json::Object(members) => members.get(&token.replace("~1", "/").replace("~0", "~")),
        Json::Array(items) => items.get(token.parse::<usize>().ok()?),
        _ => None,
    })
}

/// Refuses references that lead back to where they stand without going into the instance, and chains of them that are
/// too long to follow. `$dynamicRef` may lead elsewhere each time; evaluation counts its depth.
pub(crate) fn refuse_circles<'d>(schema: &Schema<'d>, references: &[Pending<'d>]) -> Result<(), SchemaFault> {
    let mut circles = Circles { schema, heights: BTreeMap::new() };
    for pending in references.iter().filter(|pending| !pending.is_dynamic) {
        let height = schema.target(pending.value).map_or(Ok(0), |target| circles.height(target.schema, 1));
        if let Err(reason) = height {
            let reason = match reason {
                Unending::Circle => Reason::Endless { reference: clip(pending.text) },
                Unending::TooDeep => Reason::TooDeep,
            };
            return Err(SchemaFault { at: pending.at.clone(), reason });
        }
    }
    Ok(())
}

/// Why a schema has no height.
enum Unending {
    Circle,
    TooDeep,
}

struct Circles<'s, 'd> {
    schema: &'s Schema<'d>,
    /// By address, how many schemas are evaluated within each other for one value; nothing while that is being found out.
    heights: BTreeMap<usize, Option<usize>>,
}

impl<'d> Circles<'_, 'd> {
    /// The height of `schema`, which is at `depth` of a search.
    fn height(&mut self, schema: &'d Json<'d>, depth: usize) -> Result<usize, Unending> {
        let Json::Object(members) = schema else { return Ok(0) };
        match self.heights.get(&schema.address()) {
            Some(Some(height)) => return Ok(*height),
            Some(None) => return Err(Unending::Circle),
            None if depth > limits::EVALUATION => return Err(Unending::TooDeep),
            None => self.heights.insert(schema.address(), None),
        };
        let checked = self.schema;
        let mut highest = 0;
        for (name, value) in members.iter() {
            let mut visit =
                |schema| self.height(schema, depth + 1).map(|height| highest = highest.max(height));
            match (name, value) {
                ("$ref", reference) => {
                    checked.target(reference).map_or(Ok(()), |target| visit(target.schema))
                }
                ("not" | "if" | "then" | "else", inner) => visit(inner),
                ("allOf" | "anyOf" | "oneOf", Json::Array(inner)) => inner.iter().try_for_each(visit),
                ("dependentSchemas", Json::Object(inner)) => {
                    inner.iter().try_for_each(|(_, inner)| visit(inner))
                }
                _ => Ok(()),
            }?;
        }
        if highest >= limits::EVALUATION {
            return Err(Unending::TooDeep);
        }
        self.heights.insert(schema.address(), Some(highest + 1));
        Ok(highest + 1)
    }
}
