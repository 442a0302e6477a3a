//! The OData options of a query: reading them, and refusing what Graph refuses.
//!
//! Source: Graph documentation, "Use query parameters to customize responses". What the options do to a list is in
//! [`super::collection`].

use super::call::Call;
use super::error::GraphError;

/// The options, understood as far as that needs no knowledge of the list.
#[derive(Debug, Default)]
pub(super) struct Query {
    pub(super) select: Option<Vec<String>>,
    pub(super) top: Option<u64>,
    pub(super) skip: Option<u64>,
    pub(super) skiptoken: Option<String>,
    pub(super) filter: Option<String>,
    pub(super) orderby: Option<String>,
    pub(super) search: Option<String>,
    pub(super) count: bool,
}

impl Query {
    /// Those of a list.
    pub(super) fn of_list(call: &Call<'_>) -> Result<Self, GraphError> {
        let mut query = Self::default();
        let mut seen: Vec<String> = vec![];
        for (name, value) in call.query.iter().filter(|(name, _)| name.starts_with('$')) {
            let name = name.to_ascii_lowercase();
            if seen.contains(&name) {
                let text = format!("The query option '{name}' was given more than once.");
                return Err(GraphError::BadRequest(text));
            }
            query.take(&name, value)?;
            seen.push(name);
        }
        Ok(query)
    }

    /// Those of a single thing: only `$select` means anything there.
    pub(super) fn of_entity(call: &Call<'_>) -> Result<Self, GraphError> {
        let query = Self::of_list(call)?;
        let only_lists = [
            ("$top", query.top.is_some()),
            ("$skip", query.skip.is_some()),
            ("$skiptoken", query.skiptoken.is_some()),
            ("$filter", query.filter.is_some()),
            ("$orderby", query.orderby.is_some()),
            ("$search", query.search.is_some()),
            ("$count", query.count),
        ];
        match only_lists.iter().find(|(_, given)| *given) {
            None => Ok(query),
            Some((name, _)) => {
                let text = format!("The query option '{name}' can only be applied to a collection.");
                Err(GraphError::BadRequest(text))
            }
        }
    }

    fn take(&mut self, name: &str, value: &str) -> Result<(), GraphError> {
        match name {
            "$select" => {
                let names = value.split(',').map(str::trim).filter(|n| !n.is_empty());
                self.select = Some(names.map(str::to_owned).collect());
            }
            "$top" => self.top = Some(number(name, value)?),
            "$skip" => self.skip = Some(number(name, value)?),
            "$skiptoken" => self.skiptoken = Some(value.to_owned()),
            "$filter" => self.filter = Some(value.to_owned()),
            "$orderby" => self.orderby = Some(value.to_owned()),
            "$search" => self.search = Some(value.to_owned()),
            "$count" => self.count = flag(value)?,
            "$format" if value.eq_ignore_ascii_case("json") || value.starts_with("application/json") => {}
            "$expand" => {
                let text = format!("The emulator does not expand '{value}'; ask for it by its own path.");
                return Err(GraphError::BadRequest(text));
            }
            _ => {
                let text = format!("The query option '{name}' is not supported.");
                return Err(GraphError::BadRequest(text));
            }
        }
        Ok(())
    }
}

fn number(name: &str, value: &str) -> Result<u64, GraphError> {
    let digits = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
    value.parse().ok().filter(|_| digits).ok_or_else(|| {
        let text = format!(
            "Invalid value '{value}' of the query option '{name}': a non-negative integer is needed."
        );
        GraphError::BadRequest(text)
    })
}

fn flag(value: &str) -> Result<bool, GraphError> {
    match value.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => {
            let text =
                format!("Invalid value '{value}' of the query option '$count': true or false is needed.");
            Err(GraphError::BadRequest(text))
        }
    }
}
