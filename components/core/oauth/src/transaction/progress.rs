//! How far a transaction has come, as far as that must not be left to the browser: which of its answers from Entra were taken, and whether it has ended.
//!
//! The cookie can be sent again at will. With this record an answer is taken once, and one transaction has us ask Entra's token endpoint a few times and no more,
//! whatever is sent to the callback.

use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};

use super::{EntraRequest, TransactionError};
use crate::{limits, secret};

/// The record under [`super::used_record`], changed by compare and set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Digests of each `state` whose answer was taken.
    #[serde(rename = "s", default)]
    taken: Vec<String>,
    /// Whether the client has its code.
    #[serde(rename = "f", default)]
    finished: bool,
}

impl Progress {
    /// Reads the record; none is a transaction for which nothing came back yet.
    #[must_use]
    pub fn read(record: Option<&[u8]>) -> Self {
        // What cannot be read was not written by us, and nothing may follow from it.
        let unreadable = Self { taken: Vec::new(), finished: true };
        record.map_or_else(Self::default, |record| serde_json::from_slice(record).unwrap_or(unreadable))
    }

    /// The record.
    ///
    /// # Panics
    /// Never: texts serialise.
    #[must_use]
    pub fn to_record(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("texts serialise")
    }

    /// Takes the answer to `request`. The record has to be written before Entra's code is redeemed.
    ///
    /// # Errors
    ///
    /// [`TransactionError::Phase`] for an answer that was taken before, and after the end; [`TransactionError::Attempts`] beyond [`limits::REDEMPTIONS`].
    pub fn take(mut self, request: &EntraRequest) -> Result<Self, TransactionError> {
        let state = secret::digest(request.state.expose_secret());
        if self.finished || self.taken.contains(&state) {
            return Err(TransactionError::Phase);
        }
        if self.taken.len() >= limits::REDEMPTIONS {
            return Err(TransactionError::Attempts { most: limits::REDEMPTIONS });
        }
        self.taken.push(state);
        Ok(self)
    }

    /// Takes the answer and ends the transaction in one, before anything has come of it: where several transactions are counted together, one of them goes on at a time.
    ///
    /// # Errors
    ///
    /// Those of [`Self::take`].
    pub fn claim(self, request: &EntraRequest) -> Result<Self, TransactionError> {
        self.take(request)?.finish()
    }

    /// Takes back the end that [`Self::claim`] made: nothing has come of the answer, which stays taken.
    #[must_use]
    pub fn release(self) -> Self {
        Self { finished: false, ..self }
    }

    /// Ends the transaction: the record has to be written before the client gets its code.
    ///
    /// # Errors
    ///
    /// [`TransactionError::Phase`] for one that has ended.
    pub fn finish(mut self) -> Result<Self, TransactionError> {
        if self.finished {
            return Err(TransactionError::Phase);
        }
        self.finished = true;
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(number: usize) -> EntraRequest {
        let text = |name: &str| format!("{name}-{number}").into();
        EntraRequest { state: text("state"), nonce: text("nonce"), verifier: text("verifier") }
    }

    fn kept(progress: &Progress) -> Progress {
        Progress::read(Some(&progress.to_record()))
    }

    #[test]
    fn an_answer_is_taken_once() {
        let first = kept(&Progress::read(None).take(&request(1)).unwrap());
        assert_eq!(first.clone().take(&request(1)), Err(TransactionError::Phase));
        let second = kept(&first.take(&request(2)).unwrap());
        let ended = kept(&second.finish().unwrap());
        assert_eq!(ended.clone().finish(), Err(TransactionError::Phase));
        assert_eq!(ended.take(&request(3)), Err(TransactionError::Phase));
    }

    #[test]
    fn what_is_claimed_is_one_answers_until_it_is_released() {
        let claimed = kept(&Progress::read(None).claim(&request(1)).unwrap());
        assert_eq!(claimed.clone().claim(&request(2)), Err(TransactionError::Phase));
        assert_eq!(claimed.clone().take(&request(2)), Err(TransactionError::Phase));
        let released = kept(&claimed.release());
        assert_eq!(released.clone().claim(&request(1)), Err(TransactionError::Phase), "it was taken");
        assert_eq!(released.claim(&request(2)).unwrap().finish(), Err(TransactionError::Phase));
    }

    /// Each answer makes one request to Entra, with our credential.
    #[test]
    fn a_transaction_asks_entra_a_few_times() {
        let mut progress = Progress::default();
        for number in 0..limits::REDEMPTIONS {
            progress = kept(&progress.take(&request(number)).unwrap());
        }
        let expected = Err(TransactionError::Attempts { most: limits::REDEMPTIONS });
        assert_eq!(progress.clone().take(&request(99)), expected);
        assert!(progress.finish().is_ok(), "the last answer that was taken can be the good one");
    }

    #[test]
    fn the_record_tells_no_state_and_garbage_is_the_end() {
        let record = Progress::default().take(&request(1)).unwrap().to_record();
        assert!(!String::from_utf8(record).unwrap().contains("state-1"));
        assert_eq!(Progress::read(Some(b"?")).take(&request(1)), Err(TransactionError::Phase));
    }
}
