//! The tools that ask before they answer. Each is called again from its beginning with what the client said, and decides anew what is missing.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::arguments;
use crate::bindings::exports::valet::mcp::interaction::ClientAbilities;
use crate::bindings::exports::valet::mcp::tools::{Answer, Failure};
use crate::content::{error, result, text};
use crate::input::{Answers, Elicited, form, message, needed, page, remembering, roots, texts};
use crate::tools::Call;

fn said(words: &str) -> Answer {
    Answer::Complete(result(&[text(words)]))
}

/// One form, nothing remembered.
pub(crate) fn elicitation(call: &Call<'_>) -> Result<Answer, Failure> {
    Ok(match Answers(call.context).elicited("user_name") {
        Some(form) if form.text("name").is_some() => {
            said(&format!("Hello, {}!", form.text("name").unwrap_or_default()))
        }
        Some(Elicited::Decline | Elicited::Cancel) => said("Hello, whoever you are!"),
        Some(Elicited::Accept { .. }) | None => {
            Answer::InputRequired(needed([form("user_name", "What is your name?", &texts(&["name"]))]))
        }
    })
}

/// The user is sent to a page.
pub(crate) fn url(call: &Call<'_>) -> Result<Answer, Failure> {
    Ok(match Answers(call.context).elicited("approval") {
        Some(Elicited::Accept { .. }) => said("You have been there."),
        Some(Elicited::Decline | Elicited::Cancel) => said("You did not go there."),
        None => {
            let page =
                page("approval", "Please approve this on our page", "https://valet.example/approvals/1");
            Answer::InputRequired(needed([page]))
        }
    })
}

/// One message of the client's model.
pub(crate) fn sampling(call: &Call<'_>) -> Result<Answer, Failure> {
    Ok(match Answers(call.context).sampled("capital_question") {
        Some(answer) => said(&format!("The model says: {answer}")),
        None => {
            let question = message("capital_question", "What is the capital of France?", 100);
            Answer::InputRequired(needed([question]))
        }
    })
}

/// The client's folders.
pub(crate) fn list_roots(call: &Call<'_>) -> Result<Answer, Failure> {
    Ok(match Answers(call.context).roots("client_roots") {
        Some(found) => said(&format!("Your folders: {}", found.join(", "))),
        None => Answer::InputRequired(needed([roots("client_roots")])),
    })
}

/// A form, and a state without which it does not count as asked.
pub(crate) fn request_state(call: &Call<'_>) -> Result<Answer, Failure> {
    confirmation(call, "Please confirm")
}

/// The same with another question, for a state that was altered on the way.
pub(crate) fn tampered_state(call: &Call<'_>) -> Result<Answer, Failure> {
    confirmation(call, "Please confirm what nobody may change")
}

fn confirmation(call: &Call<'_>, question: &str) -> Result<Answer, Failure> {
    let answers = Answers(call.context);
    let asked: Option<String> = answers.state()?;
    match answers.elicited("confirm") {
        Some(Elicited::Accept { content }) if asked.as_deref() == Some(question) => {
            Ok(said(&format!("state-ok, you said {}", content.get("ok").unwrap_or(&Value::Null))))
        }
        Some(Elicited::Decline | Elicited::Cancel) => Ok(said("You did not confirm.")),
        Some(Elicited::Accept { .. }) | None => {
            let ok = json!({ "type": "object", "properties": { "ok": { "type": "boolean" } }, "required": ["ok"] });
            Ok(Answer::InputRequired(remembering(vec![form("confirm", question, &ok)], &question)?))
        }
    }
}

/// What is known after some rounds.
#[derive(Default, Serialize, Deserialize)]
struct Collected {
    name: Option<String>,
    greeting: Option<String>,
    folders: Option<Vec<String>>,
}

/// Three things at once. What came is remembered, and only what is still missing is asked for again.
pub(crate) fn multiple_inputs(call: &Call<'_>) -> Result<Answer, Failure> {
    let answers = Answers(call.context);
    let mut known: Collected = answers.state()?.unwrap_or_default();
    if let Some(form) = answers.elicited("user_name") {
        known.name = form.text("name").map(str::to_owned).or(known.name);
    }
    known.greeting = answers.sampled("greeting").or(known.greeting);
    known.folders = answers.roots("client_roots").or(known.folders);
    if let Collected { name: Some(name), greeting: Some(greeting), folders: Some(folders) } = &known {
        return Ok(said(&format!("{greeting} {name}, these are your folders: {}", folders.join(", "))));
    }
    let missing = [
        known.name.is_none().then(|| form("user_name", "What is your name?", &texts(&["name"]))),
        known.greeting.is_none().then(|| message("greeting", "Generate a greeting", 50)),
        known.folders.is_none().then(|| roots("client_roots")),
    ];
    Ok(Answer::InputRequired(remembering(missing.into_iter().flatten().collect(), &known)?))
}

/// Where the tool of several rounds is.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Round {
    Name,
    Color { name: String },
}

/// Two questions, one after the other.
pub(crate) fn multi_round(call: &Call<'_>) -> Result<Answer, Failure> {
    let answers = Answers(call.context);
    let given = |key, field| answers.elicited(key).and_then(|form| form.text(field).map(str::to_owned));
    let round = match answers.state()? {
        Some(Round::Color { name }) => match given("step2", "color") {
            Some(color) => return Ok(said(&format!("The favorite color of {name} is {color}."))),
            None => Round::Color { name },
        },
        Some(Round::Name) => given("step1", "name").map_or(Round::Name, |name| Round::Color { name }),
        // Without a state nobody was asked, whatever the client says.
        None => Round::Name,
    };
    let question = match round {
        Round::Name => form("step1", "Step 1: What is your name?", &texts(&["name"])),
        Round::Color { .. } => form("step2", "Step 2: What is your favorite color?", &texts(&["color"])),
    };
    Ok(Answer::InputRequired(remembering(vec![question], &round)?))
}

/// Asks for all that this client can give, and for nothing else.
pub(crate) fn capabilities(call: &Call<'_>) -> Result<Answer, Failure> {
    let answers = Answers(call.context);
    let can = call.context.client;
    let given = [
        answers.elicited("user_name").is_some(),
        answers.sampled("greeting").is_some(),
        answers.roots("client_roots").is_some(),
    ];
    let wanted = [
        can.contains(ClientAbilities::ELICITATION_FORM)
            .then(|| form("user_name", "What is your name?", &texts(&["name"]))),
        can.contains(ClientAbilities::SAMPLING).then(|| message("greeting", "Generate a greeting", 50)),
        can.contains(ClientAbilities::ROOTS).then(|| roots("client_roots")),
    ];
    let missing: Vec<_> =
        wanted.into_iter().zip(given).filter(|(_, given)| !given).filter_map(|(wanted, _)| wanted).collect();
    if missing.is_empty() {
        return Ok(said("There is nothing left to ask this client."));
    }
    Ok(Answer::InputRequired(remembering(missing, &())?))
}

/// Asks the client's model, whether there is one or not.
pub(crate) fn missing_capability(call: &Call<'_>) -> Result<Answer, Failure> {
    ask_model(call, "Is anybody there?")
}

/// Puts the caller's `prompt` to the client's model.
pub(crate) fn prompted_sampling(call: &Call<'_>) -> Result<Answer, Failure> {
    #[derive(Deserialize)]
    struct Arguments {
        prompt: String,
    }
    let Arguments { prompt } = arguments(call.arguments)?;
    ask_model(call, &prompt)
}

fn ask_model(call: &Call<'_>, prompt: &str) -> Result<Answer, Failure> {
    Ok(match Answers(call.context).sampled("response") {
        Some(response) => said(&format!("LLM response: {response}")),
        None => Answer::InputRequired(needed([message("response", prompt, 100)])),
    })
}

/// Shows the caller's `message` with a form.
pub(crate) fn messaged_elicitation(call: &Call<'_>) -> Result<Answer, Failure> {
    #[derive(Deserialize)]
    struct Arguments {
        message: String,
    }
    let Arguments { message } = arguments(call.arguments)?;
    fill_in(call, &message, &texts(&["username", "email"]), "User response")
}

/// A form with a default in each kind of field (SEP-1034).
pub(crate) fn defaults(call: &Call<'_>) -> Result<Answer, Failure> {
    let schema = json!({ "type": "object", "properties": {
        "name": { "type": "string", "default": "John Doe" },
        "age": { "type": "integer", "default": 30 },
        "score": { "type": "number", "default": 95.5 },
        "status": { "type": "string", "enum": ["active", "inactive", "pending"], "default": "active" },
        "verified": { "type": "boolean", "default": true },
    } });
    fill_in(call, "Please look through these", &schema, "Elicitation completed")
}

/// A form with each way of writing a choice (SEP-1330).
pub(crate) fn enums(call: &Call<'_>) -> Result<Answer, Failure> {
    let titled = |noun: &str| -> Vec<Value> {
        let names = ["First", "Second", "Third"].iter().enumerate();
        names.map(|(at, name)| json!({ "const": format!("value{}", at + 1), "title": format!("{name} {noun}") })).collect()
    };
    let options = ["option1", "option2", "option3"];
    let schema = json!({ "type": "object", "properties": {
        "untitledSingle": { "type": "string", "enum": options },
        "titledSingle": { "type": "string", "oneOf": titled("Option") },
        "legacyEnum": {
            "type": "string",
            "enum": ["opt1", "opt2", "opt3"],
            "enumNames": ["Option One", "Option Two", "Option Three"],
        },
        "untitledMulti": { "type": "array", "items": { "type": "string", "enum": options } },
        "titledMulti": { "type": "array", "items": { "anyOf": titled("Choice") } },
    } });
    fill_in(call, "Please choose", &schema, "Elicitation completed")
}

fn fill_in(call: &Call<'_>, message: &str, schema: &Value, done: &str) -> Result<Answer, Failure> {
    Ok(match Answers(call.context).elicited("form") {
        Some(Elicited::Accept { content }) => {
            said(&format!("{done}: action=accept, content={}", Value::Object(content)))
        }
        Some(Elicited::Decline) => Answer::Complete(error(&format!("{done}: action=decline"))),
        Some(Elicited::Cancel) => Answer::Complete(error(&format!("{done}: action=cancel"))),
        None => Answer::InputRequired(needed([form("form", message, schema)])),
    })
}
