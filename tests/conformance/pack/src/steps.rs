//! Calls that take several steps.

use std::cell::RefCell;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::arguments;
use crate::bindings::exports::valet::mcp::tools::{
    Answer, Failure, GuestRunning, LogLevel, LogMessage, Outcome, Principal, Progress, Running, Step,
};
use crate::content::{result, text};
use crate::input::{Answers, Elicited, form, needed, texts};
use crate::tools::Call;

/// What is left of a call.
pub(crate) struct Steps(RefCell<Box<dyn Iterator<Item = Step>>>);

impl GuestRunning for Steps {
    fn next(&self, _: &Principal) -> Step {
        self.0.borrow_mut().next().unwrap_or_else(|| {
            Step::End(Err(Failure::Internal("asked for a step after the last one".to_owned())))
        })
    }
}

/// A call that goes through `steps`, the last of which is the end.
pub(crate) fn running(steps: impl Iterator<Item = Step> + 'static) -> Answer {
    Answer::Running(Running::new(Steps(RefCell::new(Box::new(steps)))))
}

fn said(words: &str) -> Step {
    Step::End(Ok(Outcome::Complete(result(&[text(words)]))))
}

fn progress(done: u32, total: u32) -> Step {
    Step::Progress(Progress { done: done.into(), total: Some(total.into()), message: None })
}

fn log(level: LogLevel, data: &Value) -> Step {
    Step::Log(LogMessage { level, logger: Some("conformance".to_owned()), data: data.to_string() })
}

/// 0, 50 and 100 of 100.
pub(crate) fn with_progress(_: &Call<'_>) -> Result<Answer, Failure> {
    let reports = [0, 50, 100].into_iter().map(|done| progress(done, 100));
    Ok(running(reports.chain([said("Three reports of progress")])))
}

/// Three messages at the level `info`.
pub(crate) fn with_logging(_: &Call<'_>) -> Result<Answer, Failure> {
    let messages = ["Tool execution started", "Tool processing data", "Tool execution completed"];
    let steps = messages.into_iter().map(|message| log(LogLevel::Info, &json!(message)));
    Ok(running(steps.chain([said("Three messages at the level info")])))
}

/// A message at each level, the least first, so that a test sees which of them a client gets.
pub(crate) fn every_level(_: &Call<'_>) -> Result<Answer, Failure> {
    let levels = [
        (LogLevel::Debug, "debug"),
        (LogLevel::Info, "info"),
        (LogLevel::Notice, "notice"),
        (LogLevel::Warning, "warning"),
        (LogLevel::Error, "error"),
        (LogLevel::Critical, "critical"),
        (LogLevel::Alert, "alert"),
        (LogLevel::Emergency, "emergency"),
    ];
    let steps = levels.into_iter().map(|(level, name)| log(level, &json!({ "level": name })));
    Ok(running(steps.chain([said("A message at each of the eight levels")])))
}

/// Works a little and then has to ask.
pub(crate) fn streaming_elicitation(call: &Call<'_>) -> Result<Answer, Failure> {
    Ok(match Answers(call.context).elicited("user_name") {
        Some(form) if form.text("name").is_some() => Answer::Complete(result(&[text("Thank you.")])),
        Some(Elicited::Decline | Elicited::Cancel) => Answer::Complete(result(&[text("Never mind.")])),
        Some(Elicited::Accept { .. }) | None => {
            let question = needed([form("user_name", "What is your name?", &texts(&["name"]))]);
            running([progress(1, 2), Step::End(Ok(Outcome::InputRequired(question)))].into_iter())
        }
    })
}

/// Counts as far as the caller says, a report of progress for each number: for clients that leave before the end.
pub(crate) fn counting(call: &Call<'_>) -> Result<Answer, Failure> {
    #[derive(Deserialize)]
    struct Arguments {
        to: u32,
    }
    let Arguments { to } = arguments(call.arguments)?;
    let numbers = (1..=to).map(move |done| progress(done, to));
    Ok(running(numbers.chain([said(&format!("Counted to {to}"))])))
}
