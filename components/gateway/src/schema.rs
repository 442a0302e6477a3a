//! What a tool's schemas say of arguments and results (MCP `server/tools`): `valet-core-schema` in the words of the gateway.

use valet_core_schema::{Json, Schema};

/// Why a value was not accepted by a schema.
pub(crate) enum Fault {
    /// The schema itself cannot be used: the pack's fault.
    Schema(String),
    /// The value does not fit. In sentences.
    Value(String),
}

/// Whether `value`, a JSON text, fits `schema`, which is one as well.
pub(crate) fn fits(schema: &str, value: &str) -> Result<(), Fault> {
    let unusable = |fault: &dyn core::fmt::Display| Fault::Schema(fault.to_string());
    let document = Json::parse(schema).map_err(|fault| unusable(&fault))?;
    let schema = Schema::check(&document).map_err(|fault| unusable(&fault))?;
    let value = Json::parse(value).map_err(|fault| Fault::Value(fault.to_string()))?;
    schema.validate(&value).map_err(|violations| Fault::Value(violations.to_string()))
}

/// Whether `schema` can be used at all.
pub(crate) fn check(schema: &str) -> Result<(), String> {
    let document = Json::parse(schema).map_err(|fault| fault.to_string())?;
    Schema::check(&document).map(drop).map_err(|fault| fault.to_string())
}
