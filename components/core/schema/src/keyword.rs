//! The keywords of 2020-12 and what their values look like, as the metaschema says. What they mean is elsewhere.

use crate::json::Json;

/// What a keyword's value has to be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Form {
    /// A schema.
    Schema,
    /// A list of schemas with one at least.
    Schemas,
    /// An object of schemas.
    SchemaMap,
    /// An object of schemas with patterns as names.
    PatternMap,
    /// A value that has nothing to do with the rest of the schema.
    Plain(fn(&Json<'_>) -> bool, &'static str),
    /// A pattern.
    Pattern,
    /// `$schema`
    Dialect,
    /// `$id`
    Id,
    /// `$anchor`
    Anchor,
    /// `$dynamicAnchor`
    DynamicAnchor,
    /// `$ref`
    Reference,
    /// `$dynamicRef`
    DynamicReference,
    /// `dependencies`
    Dependencies,
}

/// The form of a keyword that is one. All others are annotations, `format` and `content*` among them (JSON Schema
/// Validation 7.2.1).
pub(crate) fn form(keyword: &str) -> Option<Form> {
    Some(match keyword {
        "additionalProperties"
        | "contains"
        | "else"
        | "if"
        | "items"
        | "not"
        | "propertyNames"
        | "then"
        | "unevaluatedItems"
        | "unevaluatedProperties" => Form::Schema,
        "allOf" | "anyOf" | "oneOf" | "prefixItems" => Form::Schemas,
        // `definitions` is what draft-07 called `$defs`, and 2020-12 still knows it.
        "$defs" | "definitions" | "dependentSchemas" | "properties" => Form::SchemaMap,
        "patternProperties" => Form::PatternMap,
        "pattern" => Form::Pattern,
        "maxContains" | "maxItems" | "maxLength" | "maxProperties" | "minContains" | "minItems"
        | "minLength" | "minProperties" => {
            Form::Plain(|value| value.as_count().is_some(), "an integer from 0 up")
        }
        "exclusiveMaximum" | "exclusiveMinimum" | "maximum" | "minimum" => {
            Form::Plain(|value| matches!(value, Json::Number(_)), "a number")
        }
        "multipleOf" => Form::Plain(
            |value| matches!(value, Json::Number(number) if number.is_positive()),
            "a number greater than 0",
        ),
        "uniqueItems" => Form::Plain(|value| matches!(value, Json::Bool(_)), "a boolean"),
        "required" => Form::Plain(is_names, "a list of strings"),
        "dependentRequired" => Form::Plain(
            |value| value.as_object().is_some_and(|members| members.iter().all(|(_, names)| is_names(names))),
            "an object of lists of strings",
        ),
        "enum" => Form::Plain(|value| value.as_array().is_some(), "a list"),
        "type" => Form::Plain(is_types, "a type or a list of types"),
        "$schema" => Form::Dialect,
        "$id" => Form::Id,
        "$anchor" => Form::Anchor,
        "$dynamicAnchor" => Form::DynamicAnchor,
        "$ref" => Form::Reference,
        "$dynamicRef" => Form::DynamicReference,
        "dependencies" => Form::Dependencies,
        _ => return None,
    })
}

fn is_names(value: &Json<'_>) -> bool {
    value.as_array().is_some_and(|names| names.iter().all(|name| name.as_str().is_some()))
}

fn is_types(value: &Json<'_>) -> bool {
    let is_type = |value: &Json<'_>| value.as_str().is_some_and(|name| with_article(name).is_some());
    is_type(value) || value.as_array().is_some_and(|types| !types.is_empty() && types.iter().all(is_type))
}

/// A type's name as it stands in a sentence, if it is a type.
pub(crate) fn with_article(name: &str) -> Option<&'static str> {
    Some(match name {
        "null" => "null",
        "boolean" => "a boolean",
        "integer" => "an integer",
        "number" => "a number",
        "string" => "a string",
        "array" => "an array",
        "object" => "an object",
        _ => return None,
    })
}

/// Whether `value` is of the type `name`.
pub(crate) fn is_of_type(value: &Json<'_>, name: &str) -> bool {
    match value {
        Json::Null => name == "null",
        Json::Bool(_) => name == "boolean",
        Json::Number(number) => name == "number" || name == "integer" && number.is_integer(),
        Json::String(_) => name == "string",
        Json::Array(_) => name == "array",
        Json::Object(_) => name == "object",
    }
}

/// The type of a value as it stands in a sentence.
pub(crate) fn type_of(value: &Json<'_>) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "a boolean",
        Json::Number(number) if number.is_integer() => "an integer",
        Json::Number(_) => "a number",
        Json::String(_) => "a string",
        Json::Array(_) => "an array",
        Json::Object(_) => "an object",
    }
}
