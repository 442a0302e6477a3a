//! A tool that takes long, and its answer piece by piece. Each piece is asked for by whoever carries the answer; where nobody
//! asks any more, dropping this drops the tool's work.

use std::cell::RefCell;

use valet_core_mcp::log::LogLevel;
use valet_core_mcp::pack::PackFault;
use valet_core_mcp::{CallTool, Context, Fault, Reply, notification};

use crate::audit::Audit;
use crate::bindings::valet::identity::principal::Principal;
use crate::bindings::valet::mcp::interaction::Outcome;
use crate::bindings::valet::mcp::tools::{LogLevel as PackLevel, LogMessage, Progress, Running, Step};
use crate::failure::Told;
use crate::rounds::Round;
use crate::session::{Answer, Carrier, Session};
use crate::tools;

/// How pieces are framed.
#[derive(Clone, Copy)]
enum Framing {
    /// Server-sent events.
    Events,
    /// One message a piece.
    Messages,
}

/// What it takes to go on.
pub(crate) struct Stream {
    // Dropped first: it is the pack's, and may look at nothing of ours.
    running: Running,
    principal: Principal,
    audit: Audit,
    round: Round,
    output_schema: Option<String>,
    /// None where nothing but a whole answer can be sent.
    framing: Option<Framing>,
    progress_token: Option<String>,
    log_level: Option<LogLevel>,
    /// What was reported last, for progress has to grow (MCP `basic/patterns/progress`).
    done: f64,
    state: State,
}

enum State {
    /// This piece was asked for before its time.
    Piece(Vec<u8>),
    Working,
    Over,
}

/// What the next steps came to.
enum Next {
    /// A notification.
    Notification(Vec<u8>),
    /// The response.
    Response(Reply),
    /// A failure, which is told in one way where nothing has been sent yet, and in another where the head is gone.
    Failure(Told),
}

impl Stream {
    /// Works until there is something to send. If that is the response already, the answer is whole, with a status of its own.
    pub(crate) fn start(
        session: Session<'_>,
        call: &CallTool<'_>,
        round: Round,
        running: Running,
        output_schema: Option<String>,
    ) -> Answer {
        let (settings, carrier) = (session.settings, session.carrier);
        let framing = match carrier {
            Carrier::Http { events: true, .. } => Some(Framing::Events),
            Carrier::Http { events: false, .. } => None,
            Carrier::Messages { .. } => Some(Framing::Messages),
        };
        let mut stream = Self {
            running,
            principal: session.principal,
            audit: session.audit,
            round,
            output_schema,
            framing,
            progress_token: call.progress_token.map(|token| token.as_json().to_owned()),
            log_level: call.log_level,
            done: f64::NEG_INFINITY,
            state: State::Working,
        };
        match stream.work() {
            Next::Response(reply) => Answer::Whole(reply),
            Next::Failure(told) => Answer::Whole(told.whole(settings, carrier, stream.context())),
            Next::Notification(message) => {
                stream.state = State::Piece(message);
                Answer::Growing(Reply::event_stream(), Box::new(stream))
            }
        }
    }

    /// The next piece, or none at the end.
    fn piece(&mut self) -> Option<Vec<u8>> {
        let message = match std::mem::replace(&mut self.state, State::Working) {
            State::Piece(message) => message,
            State::Over => {
                self.state = State::Over;
                return None;
            }
            State::Working => match self.work() {
                Next::Notification(message) => message,
                Next::Response(reply) => {
                    self.state = State::Over;
                    reply.body
                }
                Next::Failure(told) => {
                    self.state = State::Over;
                    told.at_the_end(self.context()).body
                }
            },
        };
        Some(match self.framing {
            Some(Framing::Events) => notification::event(&message),
            Some(Framing::Messages) | None => message,
        })
    }

    /// Steps until there is something that the client wants to hear.
    fn work(&mut self) -> Next {
        loop {
            match self.running.next(&self.principal) {
                Step::Progress(progress) => {
                    if let Some(message) = self.progress(&progress) {
                        return Next::Notification(message);
                    }
                }
                Step::Log(log) => match self.log(&log) {
                    Ok(Some(message)) => return Next::Notification(message),
                    Ok(None) => {}
                    Err(fault) => {
                        self.audit.failed("bad_result", fault.to_string());
                        return Next::Response(Reply::failure(self.context(), &Fault::Internal));
                    }
                },
                Step::End(end) => return self.end(end),
            }
        }
    }

    fn context(&self) -> Context<'_> {
        self.round.context()
    }

    fn progress(&mut self, progress: &Progress) -> Option<Vec<u8>> {
        let token = self.progress_token.as_deref().filter(|_| self.framing.is_some())?;
        if progress.done <= self.done {
            return None;
        }
        self.done = progress.done;
        notification::progress(token, progress.done, progress.total, progress.message.as_deref())
    }

    fn log(&self, log: &LogMessage) -> Result<Option<Vec<u8>>, PackFault> {
        let level = level(log.level);
        match self.log_level.filter(|_| self.framing.is_some()) {
            Some(least) if level >= least => {
                notification::log(level, log.logger.as_deref(), &log.data).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn end(&self, end: Result<Outcome, crate::bindings::valet::mcp::interaction::Failure>) -> Next {
        match end {
            Ok(Outcome::Complete(result)) => Next::Response(tools::complete(
                &self.audit,
                self.context(),
                &result,
                self.output_schema.as_deref(),
            )),
            Ok(Outcome::InputRequired(needed)) => Next::Response(self.round.ask(&self.audit, &needed)),
            Err(failure) => match self.round.step_up(&self.audit, &failure) {
                Some(reply) => Next::Response(reply),
                None => Next::Failure(Told::of(&self.audit, failure, || {
                    self.audit.failed("unknown_tool", "a call that was going on does not exist".to_owned());
                    Fault::Internal
                })),
            },
        }
    }
}

fn level(level: PackLevel) -> LogLevel {
    match level {
        PackLevel::Debug => LogLevel::Debug,
        PackLevel::Info => LogLevel::Info,
        PackLevel::Notice => LogLevel::Notice,
        PackLevel::Warning => LogLevel::Warning,
        PackLevel::Error => LogLevel::Error,
        PackLevel::Critical => LogLevel::Critical,
        PackLevel::Alert => LogLevel::Alert,
        PackLevel::Emergency => LogLevel::Emergency,
    }
}

/// The resource that carriers hold.
pub(crate) struct Pieces(RefCell<Box<Stream>>);

impl Pieces {
    pub(crate) fn new(stream: Box<Stream>) -> Self {
        Self(RefCell::new(stream))
    }
}

impl crate::bindings::exports::valet::mcp::pieces::GuestPieces for Pieces {
    fn next(&self) -> Option<Vec<u8>> {
        self.0.borrow_mut().piece()
    }
}
