//! The device code step (RFC 8628): a code before the person's eyes, and polls until they have decided.

use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};
use url::Url;
use valet_core_entra::answer::Failure;
use valet_core_entra::device_code::{self, Codes, INTERVAL, Poll, PollFailure, Polled, Request};

use crate::ask::Ask;
use crate::authority::Authority;
use crate::error::{Halt, SignInError, Step};
use crate::grant::{Grant, with_openid};
use crate::limits::{MAX_CODE_LIFE, MAX_POLL_INTERVAL, shown};
use crate::prompts::{DeviceCode, PromptError, Prompts};
use crate::settings::Settings;

/// Signs in by a device code.
pub(crate) async fn sign_in(
    settings: &Settings,
    authority: &Authority,
    prompts: &dyn Prompts,
    ask: &Ask,
) -> Result<Grant, Halt> {
    let codes = codes(settings, authority, ask).await?;
    let code = shown_code(&codes)?;
    let prompt = prompts.device_code(&code);
    let poll = poll(settings, authority, ask, &codes);
    tokio::pin!(prompt, poll);
    tokio::select! {
        // A person may dismiss the code after it was shown; until then both go on.
        shown = &mut prompt => match shown {
            Ok(()) => poll.await,
            Err(PromptError::Unavailable(why)) => Err(Halt::Skip(why)),
            Err(PromptError::Cancelled) => Err(SignInError::Cancelled(Step::DeviceCode).into()),
        },
        grant = &mut poll => grant,
    }
}

async fn codes(settings: &Settings, authority: &Authority, ask: &Ask) -> Result<Codes, SignInError> {
    let client = settings.client();
    let request = Request { client, scopes: &with_openid(&ask.scopes), claims: Some(&ask.claims) };
    let answer = authority.post(client.device_code_url(), request.body()).await?;
    device_code::read_codes(answer.status, answer.retry_after.as_deref(), &answer.body)
        .map_err(SignInError::Authority)
}

/// The code, if a person can safely be sent to where it is entered.
fn shown_code(codes: &Codes) -> Result<DeviceCode, Halt> {
    let uri = Url::parse(&codes.verification_uri).ok().filter(|uri| uri.scheme() == "https");
    let uri = uri.ok_or_else(|| {
        let why =
            format!("the authority sends people to `{}`, which is not https", shown(&codes.verification_uri));
        Halt::Skip(why)
    })?;
    Ok(DeviceCode {
        user_code: shown(&codes.user_code),
        verification_uri: uri,
        expires_in: codes.expires_in.min(MAX_CODE_LIFE),
    })
}

/// Polls until the person has decided or the code has ended. The time is the machine's running time, so that a changed clock changes nothing.
async fn poll(settings: &Settings, authority: &Authority, ask: &Ask, codes: &Codes) -> Result<Grant, Halt> {
    let seconds = codes.expires_in.min(MAX_CODE_LIFE);
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut interval = codes.interval.clamp(1, MAX_POLL_INTERVAL);
    loop {
        tokio::select! {
            () = sleep(Duration::from_secs(interval)) => {}
            () = sleep_until(end) => {
                return Err(SignInError::TimedOut { step: Step::DeviceCode, seconds }.into());
            }
        }
        let client = settings.client();
        let poll = Poll { client, device_code: &codes.device_code, claims: Some(&ask.claims) };
        let answer = match authority.post(client.token_url(), poll.body()).await {
            Ok(answer) => answer,
            // RFC 8628 section 3.5: a poll that fails on the way is tried again, more slowly.
            Err(SignInError::Unreachable { .. }) => {
                interval = (interval * 2).min(MAX_POLL_INTERVAL);
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        match device_code::read_poll(answer.status, answer.retry_after.as_deref(), &answer.body) {
            Ok(Polled::Granted(tokens)) => {
                let mut grant = Grant::read(*tokens, &ask.scopes, None, settings)?;
                grant.source = Some("urn:ietf:params:oauth:grant-type:device_code");
                return Ok(grant);
            }
            Ok(Polled::Pending) => {}
            Ok(Polled::SlowDown) => interval = (interval + INTERVAL).min(MAX_POLL_INTERVAL),
            Err(PollFailure::Other(Failure::Throttled { retry_after })) => {
                let asked = retry_after.map_or(interval * 2, u64::from);
                interval = asked.max(interval).min(MAX_POLL_INTERVAL);
            }
            Err(failure) => return Err(ended(failure, seconds).into()),
        }
    }
}

fn ended(failure: PollFailure, seconds: u64) -> SignInError {
    let step = Step::DeviceCode;
    match failure {
        PollFailure::Declined(detail) => SignInError::Declined { step, detail: detail.to_string() },
        PollFailure::Expired(_) => SignInError::TimedOut { step, seconds },
        PollFailure::BadCode(detail) => SignInError::Authority(Failure::GrantRefused(detail)),
        PollFailure::Other(failure) => SignInError::Authority(failure),
    }
}
