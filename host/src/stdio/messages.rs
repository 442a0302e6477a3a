//! What answers messages.

use std::sync::{Mutex, MutexGuard, PoisonError};

use secrecy::{ExposeSecret as _, SecretString};

use super::Sink;
use crate::runtime::{Answer, ClientAbilities, Kind, RunError, Runtime, request_id};

/// What answers messages: [`Gateway`], or a stand-in for tests of the framing.
pub trait Messages: Send + Sync + 'static {
    /// What a message is.
    fn inspect(&self, message: &[u8]) -> impl Future<Output = Result<Kind, RunError>> + Send;

    /// Answers a message on `sink`. Where it is dropped before its end, the work for the answer ends.
    fn answer(&self, message: Vec<u8>, sink: &Sink) -> impl Future<Output = Result<(), RunError>> + Send;

    /// The client is leaving, or this server is. What waits for its user must not go on waiting. It may be said more than once.
    fn leave(&self);

    /// Waits until nothing is left before its user that would outlive this server. It ends soon, whatever happens.
    fn settle(&self) -> impl Future<Output = ()> + Send;
}

/// The components, for one user.
pub struct Gateway {
    runtime: Runtime,
    bearer: SecretString,
    /// What the client declared when it opened, for the requests that do not say it again.
    declared: Mutex<ClientAbilities>,
}

impl Gateway {
    /// Messages come from whom `bearer`, an access token, stands for. It is checked with each message.
    #[must_use]
    pub fn new(runtime: Runtime, bearer: SecretString) -> Self {
        Self { runtime, bearer, declared: Mutex::new(ClientAbilities::empty()) }
    }

    fn declared(&self) -> MutexGuard<'_, ClientAbilities> {
        self.declared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Messages for Gateway {
    async fn inspect(&self, message: &[u8]) -> Result<Kind, RunError> {
        let kind = self.runtime.inspect(message).await?;
        match &kind {
            Kind::Opening((_, declared)) => *self.declared() = *declared,
            Kind::Declining(_) => self.runtime.user_declines(),
            Kind::Request(_) | Kind::Cancellation(_) | Kind::Other => {}
        }
        Ok(kind)
    }

    async fn answer(&self, message: Vec<u8>, sink: &Sink) -> Result<(), RunError> {
        let declared = *self.declared();
        match self.runtime.message(self.bearer.expose_secret(), &message, declared, &request_id()).await? {
            Answer::Nothing => {}
            Answer::Whole(whole) => sink.send(whole).await,
            Answer::Growing(mut pieces) => {
                while let Some(piece) = pieces.next().await? {
                    sink.send(piece).await;
                }
            }
        }
        Ok(())
    }

    fn leave(&self) {
        self.runtime.client_leaves();
    }

    async fn settle(&self) {
        self.runtime.settle().await;
    }
}
