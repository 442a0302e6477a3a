//! What the options do to a list: filter, search, sort, count, page, select; and to a single thing: select.
//!
//! Source: Graph documentation, "Use query parameters", "Advanced query capabilities". Pages are in `page.rs`.

use std::cmp::Ordering;

use axum::http::Method;
use serde_json::{Map, Value};

use super::call::{Call, Reply};
use super::error::{GraphError, Service};
use super::filter::{Filter, comparable, lookup};
use super::kinds::Kind;
use super::page::Page;
use super::query::Query;
use super::search::Search;

/// A list before the options are applied.
pub(super) struct Collection<'a> {
    context: String,
    kind: &'static Kind,
    rows: Vec<Value>,
    finish: &'a dyn Fn(Value) -> Value,
}

impl<'a> Collection<'a> {
    /// A list of things of one kind in their natural order; `context` follows `$metadata#`.
    pub(super) fn new(context: impl Into<String>, kind: &'static Kind, rows: Vec<Value>) -> Self {
        Self { context: context.into(), kind, rows, finish: &|row| row }
    }

    /// Lets `finish` change what is shown; filters see things as they were.
    pub(super) fn finished_by(mut self, finish: &'a dyn Fn(Value) -> Value) -> Self {
        self.finish = finish;
        self
    }

    /// Answers a GET of this list; `raw_count` for its `/$count`.
    pub(super) fn answer(self, call: &Call<'_>, raw_count: bool) -> Result<Reply, GraphError> {
        call.only(&Method::GET, "GET")?;
        let query = Query::of_list(call)?;
        let filter = query.filter.as_deref().map(|text| Filter::parse(text, self.kind)).transpose()?;
        let search = query.search.as_deref().map(|text| Search::parse(text, self.kind)).transpose()?;
        let order = query.orderby.as_deref().map(|text| order(text, self.kind)).transpose()?;
        self.check(call, &query, filter.as_ref(), order.as_deref(), raw_count)?;
        let mut rows = self.rows;
        rows.retain(|row| filter.as_ref().is_none_or(|f| f.passes(row)));
        rows.retain(|row| search.as_ref().is_none_or(|s| s.finds(row)));
        if let Some(order) = &order {
            // The sort is stable, so equal items keep the natural order and pages have neither gaps nor doubles.
            rows.sort_by(|a, b| ordering(order, a, b));
        }
        if raw_count {
            return Ok(Reply::bytes("text/plain", rows.len().to_string().into_bytes()));
        }
        let selected = Selection::new(&query, self.kind)?;
        let page = Page::new(call, &query, self.kind.service)?;
        let total = rows.len();
        let mut body = Map::new();
        body.insert("@odata.context".into(), call.context(&selected.context(&self.context)).into());
        if query.count && (self.kind.service != Service::Directory || eventual(call)) {
            body.insert("@odata.count".into(), total.into());
        }
        let rows: Vec<Value> = rows
            .into_iter()
            .skip(page.from)
            .take(page.size)
            .map(|row| selected.of((self.finish)(row)))
            .collect();
        let next = page.from.saturating_add(rows.len());
        if next < total && !rows.is_empty() {
            body.insert("@odata.nextLink".into(), page.next_link(call, next).into());
        }
        body.insert("value".into(), rows.into());
        Ok(Reply::json(Value::Object(body)))
    }

    /// Combinations that the service behind the list does not answer.
    fn check(
        &self,
        call: &Call<'_>,
        query: &Query,
        filter: Option<&Filter>,
        order: Option<&[Key]>,
        raw_count: bool,
    ) -> Result<(), GraphError> {
        match self.kind.service {
            Service::Directory => check_directory(call, query, filter, raw_count),
            Service::Outlook => check_outlook(query, filter, order),
            Service::Files if query.search.is_some() => {
                Err(GraphError::FilesRequest("Files are not searched with '$search'.".into()))
            }
            Service::Files if query.skip.is_some() => {
                Err(GraphError::FilesRequest("'$skip' is not supported for files.".into()))
            }
            Service::Files => Ok(()),
        }
    }
}

/// Advanced queries need `ConsistencyLevel: eventual`, and all but search and raw counts need `$count=true`.
fn check_directory(
    call: &Call<'_>,
    query: &Query,
    filter: Option<&Filter>,
    raw_count: bool,
) -> Result<(), GraphError> {
    if query.skip.is_some() {
        return Err(GraphError::DirectoryRequest("'$skip' is not supported by the service.".into()));
    }
    let refuse = |what: &str| {
        let text =
            format!("{what} needs the header 'ConsistencyLevel: eventual' and, in a list, '$count=true'.");
        Err(GraphError::UnsupportedQuery(text))
    };
    let advanced = eventual(call) && (query.count || raw_count);
    if raw_count && !eventual(call) {
        return refuse("A raw count");
    }
    if query.search.is_some() && !eventual(call) {
        return refuse("'$search'");
    }
    match filter {
        Some(filter) if filter.advanced && !advanced => refuse("This filter"),
        Some(_) if query.orderby.is_some() && !advanced => refuse("Sorting what is filtered"),
        _ => Ok(()),
    }
}

/// What is sorted by must be filtered by first (Graph documentation, "List messages", on `$filter` with `$orderby`);
/// a search is sorted by relevance alone.
fn check_outlook(query: &Query, filter: Option<&Filter>, order: Option<&[Key]>) -> Result<(), GraphError> {
    if query.search.is_some() {
        let refused = [
            (query.orderby.is_some(), "SearchWithOrderBy", "$orderby"),
            (query.filter.is_some(), "SearchWithFilter", "$filter"),
            (query.skip.is_some(), "SearchWithSkip", "$skip"),
        ];
        if let Some(&(_, code, option)) = refused.iter().find(|(given, ..)| *given) {
            return Err(GraphError::WithSearch { code, option });
        }
    }
    let (Some(filter), Some(order)) = (filter, order) else { return Ok(()) };
    let mut filtered: Vec<&str> = vec![];
    for path in &filter.paths {
        if !filtered.contains(&path.as_str()) {
            filtered.push(path);
        }
    }
    let in_order = order.iter().map(|key| key.path.as_str()).eq(filtered.into_iter().take(order.len()));
    if in_order { Ok(()) } else { Err(GraphError::InefficientFilter) }
}

fn eventual(call: &Call<'_>) -> bool {
    call.header("consistencylevel").is_some_and(|v| v.eq_ignore_ascii_case("eventual"))
}

struct Key {
    path: String,
    descending: bool,
}

fn order(text: &str, kind: &Kind) -> Result<Vec<Key>, GraphError> {
    let mut keys = vec![];
    for part in text.split(',') {
        let mut words = part.split_whitespace();
        let (path, direction, rest) = (words.next(), words.next(), words.next());
        let bad = || GraphError::BadRequest(format!("Invalid '$orderby': '{text}'."));
        let path = path.ok_or_else(bad)?;
        let descending = match (direction.map(str::to_ascii_lowercase).as_deref(), rest) {
            (None | Some("asc"), None) => false,
            (Some("desc"), None) => true,
            _ => return Err(bad()),
        };
        comparable(kind, path)?;
        keys.push(Key { path: path.to_owned(), descending });
    }
    Ok(keys)
}

fn ordering(keys: &[Key], a: &Value, b: &Value) -> Ordering {
    let by = |key: &Key| {
        let (a, b) = (lookup(a, &key.path), lookup(b, &key.path));
        let order = match (a, b) {
            (Value::String(a), Value::String(b)) => a.to_lowercase().cmp(&b.to_lowercase()),
            (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
            (Value::Number(a), Value::Number(b)) => {
                a.as_f64().partial_cmp(&b.as_f64()).unwrap_or(Ordering::Equal)
            }
            (a, b) => b.is_null().cmp(&a.is_null()),
        };
        if key.descending { order.reverse() } else { order }
    };
    keys.iter().map(by).find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
}

/// `$select`, checked against the type.
pub(super) struct Selection {
    kind: &'static Kind,
    names: Option<Vec<String>>,
}

impl Selection {
    pub(super) fn new(query: &Query, kind: &'static Kind) -> Result<Self, GraphError> {
        let names = query.select.clone().filter(|names| !names.iter().any(|n| n == "*"));
        let names = names.filter(|names| !names.is_empty());
        match names.iter().flatten().find(|name| !kind.has(name)) {
            None => Ok(Self { kind, names }),
            Some(unknown) => Err(GraphError::NoSuchProperty { name: unknown.clone(), kind: kind.name }),
        }
    }

    /// The context with the names of what was selected.
    pub(super) fn context(&self, of: &str) -> String {
        match &self.names {
            None => of.to_owned(),
            Some(names) => format!("{of}({})", names.join(",")),
        }
    }

    /// The thing with what was selected.
    pub(super) fn of(&self, thing: Value) -> Value {
        let Value::Object(mut all) = thing else { return thing };
        let names: Vec<&str> = match &self.names {
            None if self.kind.default.is_empty() => return Value::Object(all),
            None => self.kind.default.to_vec(),
            Some(names) => names.iter().map(String::as_str).collect(),
        };
        let kept: Vec<&str> = self.kind.always.iter().copied().chain(names).collect();
        Value::Object(kept.into_iter().filter_map(|name| all.remove_entry(name)).collect())
    }
}

/// Answers a single thing; `context` without `/$entity`.
pub(super) fn entity(
    call: &Call<'_>,
    kind: &'static Kind,
    context: &str,
    thing: Value,
) -> Result<Reply, GraphError> {
    let selected = Selection::new(&Query::of_entity(call)?, kind)?;
    let context = call.context(&format!("{}/$entity", selected.context(context)));
    Ok(Reply::json(with_context(context, selected.of(thing))))
}

/// A thing with its context in front.
pub(super) fn with_context(context: String, thing: Value) -> Value {
    let mut body = Map::new();
    body.insert("@odata.context".into(), context.into());
    if let Value::Object(thing) = thing {
        body.extend(thing);
    }
    Value::Object(body)
}
