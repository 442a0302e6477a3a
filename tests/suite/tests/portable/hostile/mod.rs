//! Components that mean harm (`tests/hostile`): what stops each of them, and that it costs its own request only.

mod composed;
mod guests;
mod native;
mod packs;
mod streams;
