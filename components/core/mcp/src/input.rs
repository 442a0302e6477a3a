//! What a pack asks of a client before it can answer (MCP `basic/patterns/mrtr`): whether it may be asked, and of whom.

use crate::json::{push_raw, push_string};
use crate::limits;
use crate::message::Abilities;
use crate::pack::{Members, PackFault};

/// The key of the page that we send a user to ourselves, for something to be done before a pack can answer.
pub const OWN_PAGE: &str = "sign-in";

/// One thing that the client is asked for, as the pack hands it over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InputRequest<'a> {
    /// Tells it apart from the others.
    pub key: &'a str,
    /// `elicitation/create`, `sampling/createMessage` or `roots/list`.
    pub method: &'a str,
    /// The method's parameters, a JSON object.
    pub params: &'a str,
}

/// Checked requests of one result: few, of sizes that a client can be expected to take, each with a key of its own and one
/// of the three methods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputRequests<'a> {
    requests: Vec<InputRequest<'a>>,
    needed: Abilities,
    /// `mode` of each elicitation is `url`, and there is nothing but elicitations.
    only_pages: bool,
}

impl<'a> InputRequests<'a> {
    /// Checks what a pack asks for.
    ///
    /// # Errors
    ///
    /// [`PackFault`]; a fault of the pack, not of the caller.
    pub fn check(requests: Vec<InputRequest<'a>>) -> Result<Self, PackFault> {
        let unusable = |reason: String| PackFault::Unusable { reason };
        if requests.len() > limits::INPUT_REQUESTS {
            return Err(unusable(format!(
                "{} input requests, at most {} are allowed",
                requests.len(),
                limits::INPUT_REQUESTS
            )));
        }
        let mut needed = Abilities::default();
        let mut only_pages = !requests.is_empty();
        for (index, request) in requests.iter().enumerate() {
            let key = request.key;
            if !(1..=limits::INPUT_KEY).contains(&key.len()) {
                return Err(unusable(format!("an input request's key has {} bytes", key.len())));
            }
            if requests.iter().skip(index + 1).any(|other| other.key == key) {
                return Err(PackFault::Duplicate { member: key.to_owned() });
            }
            if request.params.len() > limits::INPUT_REQUEST {
                return Err(unusable(format!(
                    "the input request `{key}` has {} bytes",
                    request.params.len()
                )));
            }
            let params = Members::parse(request.params)?;
            let mut page = false;
            match request.method {
                "sampling/createMessage" => needed.sampling = true,
                "roots/list" => needed.roots = true,
                "elicitation/create" => match params.find("mode") {
                    None | Some(r#""form""#) => needed.elicitation_form = true,
                    Some(r#""url""#) => {
                        needed.elicitation_url = true;
                        page = true;
                    }
                    Some(mode) => return Err(unusable(format!("an elicitation of mode {mode}"))),
                },
                method => return Err(unusable(format!("the input request `{key}` is `{method}`"))),
            }
            only_pages &= page;
        }
        Ok(Self { requests, needed, only_pages })
    }

    /// What of it a client with these abilities cannot give; none if it can give all.
    #[must_use]
    pub fn missing(&self, has: Abilities) -> Option<Abilities> {
        let needed = self.needed;
        let missing = Abilities {
            elicitation_form: needed.elicitation_form && !has.elicitation_form,
            elicitation_url: needed.elicitation_url && !has.elicitation_url,
            sampling: needed.sampling && !has.sampling,
            roots: needed.roots && !has.roots,
        };
        (missing != Abilities::default()).then_some(missing)
    }

    /// The pages that the user has to go to, as `ElicitRequestURLParams` of 2025-11-25, if nothing but pages is asked for.
    /// That revision wants an `elicitationId`; where the pack gives none, the key is one.
    #[must_use]
    pub fn pages(&self) -> Option<Vec<String>> {
        let page = |request: &InputRequest<'_>| {
            let has_id = Members::parse(request.params).is_ok_and(|it| it.find("elicitationId").is_some());
            let mut out = String::with_capacity(request.params.len() + 64);
            match request.params.trim().strip_prefix('{') {
                Some(rest) if !has_id => {
                    out.push_str(r#"{"elicitationId":"#);
                    push_string(&mut out, request.key);
                    // `mode` is among the members, so that there is something behind the comma.
                    out.push(',');
                    out.push_str(rest);
                }
                _ => out.push_str(request.params),
            }
            out
        };
        self.only_pages.then(|| self.requests.iter().map(page).collect())
    }

    /// Appends the members of an `InputRequiredResult` behind its `resultType`.
    pub(crate) fn push(&self, out: &mut String, state: Option<&str>) {
        if !self.requests.is_empty() {
            out.push_str(r#""inputRequests":{"#);
            for (index, request) in self.requests.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                push_string(out, request.key);
                out.push_str(r#":{"method":"#);
                push_string(out, request.method);
                out.push_str(r#","params":"#);
                push_raw(out, request.params);
                out.push('}');
            }
            out.push('}');
        }
        if let Some(state) = state {
            out.push_str(if self.requests.is_empty() { "" } else { "," });
            out.push_str(r#""requestState":"#);
            push_string(out, state);
        }
    }
}

/// `ElicitRequestURLParams`: sends the user to `url`, and `message` tells them why (MCP `client/elicitation#url-mode-elicitation-requests`).
#[must_use]
pub fn page(message: &str, url: &str) -> String {
    let mut out = String::with_capacity(message.len() + url.len() + 40);
    out.push_str(r#"{"mode":"url","message":"#);
    push_string(&mut out, message);
    out.push_str(r#","url":"#);
    push_string(&mut out, url);
    out.push('}');
    out
}

/// Whether an `ElicitResult` says that the user did not want to: `decline` or `cancel`. What cannot be read says nothing.
#[must_use]
pub fn declined(result: &str) -> bool {
    let action = Members::parse(result).ok().and_then(|result| result.find("action").map(str::to_owned));
    matches!(action.as_deref(), Some(r#""decline""# | r#""cancel""#))
}

/// The bytes that a request state is bound to: who asked, through which client, and for what, so that it is worth nothing
/// to another caller or for another request (MCP `basic/patterns/mrtr#server-requirements-basic-workflow`).
///
/// Each part is preceded by its length, so that no two lists of parts give the same bytes.
#[must_use]
pub fn binding(parts: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum());
    for part in parts {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    bytes
}

#[cfg(test)]
#[path = "input_tests.rs"]
mod tests;
