//! `introduce-me`: the beginning of a conversation in which the user's introduction is written, for an audience and in a language of
//! their choice. The profile goes along, so that the model has the facts and need not ask for a tool.

use serde::{Deserialize, Serialize};
use valet_core_graph::profile::Profile;

use crate::bindings::exports::valet::mcp::interaction::{Completion, Failure};
use crate::bindings::exports::valet::mcp::tools::Principal;
use crate::graph;
use crate::minified::definition;
use crate::resources::profile::{self, Contents};

pub(crate) const NAME: &str = "introduce-me";

/// The MCP `Prompt` object.
pub(crate) const DEFINITION: &str = definition!("introduce_me.json");

/// Longest value of an argument, in characters. It becomes part of what the model reads.
const MAX_CHARS: usize = 200;

const AUDIENCES: [&str; 8] = [
    "a conference programme",
    "a customer",
    "a job application",
    "a new team",
    "a partner company",
    "a workshop",
    "the intranet",
    "the press",
];

const LANGUAGES: [&str; 14] = [
    "Chinese",
    "Czech",
    "Danish",
    "Dutch",
    "English",
    "French",
    "German",
    "Italian",
    "Japanese",
    "Polish",
    "Portuguese",
    "Spanish",
    "Swedish",
    "Ukrainian",
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    audience: String,
    language: Option<String>,
}

/// MCP's `GetPromptResult`.
#[derive(Serialize)]
struct Prompt {
    description: &'static str,
    messages: [Message; 2],
}

#[derive(Serialize)]
struct Message {
    role: &'static str,
    content: Content,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Content {
    Text { text: String },
    Resource { resource: Contents },
}

pub(crate) fn get(caller: &Principal, arguments: &str) -> Result<String, Failure> {
    let arguments: Arguments =
        serde_json::from_str(arguments).map_err(|error| Failure::InvalidArguments(error.to_string()))?;
    for value in [Some(&arguments.audience), arguments.language.as_ref()].into_iter().flatten() {
        if value.trim().is_empty() || value.chars().count() > MAX_CHARS {
            let why = format!("an argument has to have 1 to {MAX_CHARS} characters");
            return Err(Failure::InvalidArguments(why));
        }
    }
    let profile = graph::profile(caller)?;
    let prompt = Prompt {
        description: "An introduction of the signed-in user",
        messages: [
            Message { role: "user", content: Content::Text { text: instruction(&arguments, &profile) } },
            Message { role: "user", content: Content::Resource { resource: profile::contents(&profile)? } },
        ],
    };
    serde_json::to_string(&prompt).map_err(|error| Failure::Internal(error.to_string()))
}

/// What the model is asked to do.
fn instruction(arguments: &Arguments, profile: &Profile) -> String {
    let Arguments { audience, language } = arguments;
    let language = match (language, &profile.preferred_language) {
        (Some(language), _) => format!("Write in {language}."),
        (None, Some(tag)) => format!("Write in my preferred language, which is {tag}."),
        (None, None) => "Write in the language of this conversation.".to_owned(),
    };
    format!(
        "Write an introduction of me for {audience}, in three or four sentences, from my profile below. {language} \
         Use only facts that stand there. Leave out phone numbers and identifiers. Where a fact is missing that such an \
         introduction needs, ask me for it first."
    )
}

pub(crate) fn complete(argument: &str, value: &str) -> Result<Completion, Failure> {
    match argument {
        "audience" => Ok(starting_with(&AUDIENCES, value)),
        "language" => Ok(starting_with(&LANGUAGES, value)),
        _ => Err(Failure::NotFound),
    }
}

/// Those of `all` that begin with `value`, case aside; an article does not count.
fn starting_with(all: &[&str], value: &str) -> Completion {
    let value = value.trim_start().to_lowercase();
    let matches = |text: &str| {
        let text = text.to_lowercase();
        let without = text.split_once(' ').filter(|(first, _)| matches!(*first, "a" | "the"));
        text.starts_with(&value) || without.is_some_and(|(_, rest)| rest.starts_with(&value))
    };
    let values: Vec<String> =
        all.iter().filter(|text| matches(text)).map(|text| (*text).to_owned()).collect();
    Completion { total: u32::try_from(values.len()).ok(), values, has_more: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_is_completed_with_or_without_its_article() {
        let check = |argument: &str, value: &str, expected: &[&str]| {
            let Ok(found) = complete(argument, value) else { panic!("{argument} can be completed") };
            assert_eq!(found.values, expected, "{value}");
            assert_eq!((found.total, found.has_more), (u32::try_from(expected.len()).ok(), false));
        };
        check("audience", "", &AUDIENCES);
        check("audience", "New", &["a new team"]);
        check("audience", "a n", &["a new team"]);
        check("audience", "the ", &["the intranet", "the press"]);
        check("audience", "p", &["a partner company", "the press"]);
        check("audience", "x", &[]);
        check("language", "ge", &["German"]);
        assert!(matches!(complete("name", ""), Err(Failure::NotFound)));
    }

    #[test]
    fn the_language_is_the_users_choice_then_their_own_then_the_conversations() {
        let profile = |language: Option<&str>| {
            let json = serde_json::json!({ "id": "1", "preferredLanguage": language }).to_string();
            Profile::read(200, json.as_bytes()).unwrap()
        };
        let check = |language: Option<&str>, preferred: Option<&str>, expected: &str| {
            let arguments =
                Arguments { audience: "a new team".to_owned(), language: language.map(str::to_owned) };
            let text = instruction(&arguments, &profile(preferred));
            let start = format!(
                "Write an introduction of me for a new team, in three or four sentences, from my profile below. {expected} Use"
            );
            assert!(text.starts_with(&start), "{text}");
        };
        check(Some("Danish"), Some("de-DE"), "Write in Danish.");
        check(None, Some("de-DE"), "Write in my preferred language, which is de-DE.");
        check(None, None, "Write in the language of this conversation.");
    }
}
