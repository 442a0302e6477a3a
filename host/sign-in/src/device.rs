//! The device code step (RFC 8628): a code before the person's eyes, and polls until they have decided.

use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};
use url::Url;
use valet_core_entra::answer::{Failure, Tokens};
use valet_core_entra::device_code::{self, Codes, INTERVAL, Poll, PollFailure, Polled, Request};

use crate::ask::Ask;
use crate::authority::{Answer, Authority};
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

/// The code, if a person can safely be sent to where it is entered: an https page, whose host is where they read it. A user name before it would stand in its place.
fn shown_code(codes: &Codes) -> Result<DeviceCode, Halt> {
    let refused = |what: &str| {
        Halt::Skip(format!("the authority sends people to `{}`, {what}", shown(&codes.verification_uri)))
    };
    let uri = Url::parse(&codes.verification_uri).ok().filter(|uri| uri.scheme() == "https");
    let uri = uri.ok_or_else(|| refused("which is not https"))?;
    if !uri.username().is_empty() || uri.password().is_some() {
        return Err(refused("which has a user name before the host"));
    }
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
        let polled = authority.post(client.token_url(), poll.body()).await;
        match after(polled, interval, seconds)? {
            After::Wait(longer) => interval = longer,
            After::Granted(tokens) => {
                let mut grant = Grant::read(*tokens, &ask.scopes, None, settings)?;
                grant.source = Some("urn:ietf:params:oauth:grant-type:device_code");
                return Ok(grant);
            }
        }
    }
}

/// What comes after a poll.
#[derive(Debug)]
enum After {
    /// Another one, after so many seconds.
    Wait(u64),
    /// The end: the person has signed in.
    Granted(Box<Tokens>),
}

/// What comes after a poll that was sent `interval` seconds after the one before, for a code that lives for `seconds`.
fn after(polled: Result<Answer, SignInError>, interval: u64, seconds: u64) -> Result<After, SignInError> {
    let wait = |longer: u64| Ok(After::Wait(longer.min(MAX_POLL_INTERVAL)));
    let answer = match polled {
        Ok(answer) => answer,
        // RFC 8628 section 3.5: a poll that fails on the way is tried again, more slowly.
        Err(SignInError::Unreachable { .. }) => return wait(interval * 2),
        Err(error) => return Err(error),
    };
    match device_code::read_poll(answer.status, answer.retry_after.as_deref(), &answer.body) {
        Ok(Polled::Granted(tokens)) => Ok(After::Granted(tokens)),
        Ok(Polled::Pending) => wait(interval),
        Ok(Polled::SlowDown) => wait(interval + INTERVAL),
        Err(PollFailure::Other(Failure::Throttled { retry_after })) => {
            wait(retry_after.map_or(interval * 2, u64::from).max(interval))
        }
        // Something in front of the authority, or the authority in trouble: the code is as good as before.
        Err(PollFailure::Other(Failure::Unavailable(detail))) if detail.status >= 500 => wait(interval * 2),
        Err(failure) => Err(ended(failure, seconds)),
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

#[cfg(test)]
mod tests {
    use valet_core_entra::SecretString;
    use valet_core_entra::answer::Detail;

    use super::*;

    fn answered(status: u16, retry_after: Option<&str>, body: &str) -> Result<Answer, SignInError> {
        Ok(Answer { status, retry_after: retry_after.map(str::to_owned), body: body.as_bytes().to_vec() })
    }

    fn refused(status: u16, error: &str) -> Result<Answer, SignInError> {
        answered(status, None, &format!(r#"{{"error":"{error}"}}"#))
    }

    fn waits(polled: Result<Answer, SignInError>, interval: u64) -> u64 {
        match after(polled, interval, 900) {
            Ok(After::Wait(seconds)) => seconds,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_answer_says_how_long_the_next_poll_waits() {
        let unreachable = || SignInError::Unreachable { authority: "https://a".into(), why: "reset".into() };
        assert_eq!(waits(refused(400, "authorization_pending"), 5), 5);
        assert_eq!(waits(refused(400, "slow_down"), 5), 10, "RFC 8628 section 3.5: five seconds more");
        assert_eq!(waits(refused(400, "slow_down"), 10), 15, "and again");
        assert_eq!(waits(Err(unreachable()), 5), 10);
        for body in ["", "<html>", r#"{"error":"server_error"}"#] {
            assert_eq!(waits(answered(503, None, body), 5), 10, "{body}");
        }
        assert_eq!(waits(answered(429, Some("7"), ""), 5), 7);
        assert_eq!(waits(answered(429, Some("1"), ""), 5), 5, "never sooner than the code's own interval");
        assert_eq!(waits(answered(429, None, ""), 5), 10);
        assert_eq!(waits(answered(429, Some("Fri, 27 Nov 2026 03:00:00 GMT"), ""), 5), 10);
        // No answer makes the person wait for ever.
        assert_eq!(waits(answered(429, Some("86400"), ""), 5), MAX_POLL_INTERVAL);
        assert_eq!(waits(refused(400, "slow_down"), MAX_POLL_INTERVAL), MAX_POLL_INTERVAL);
        assert_eq!(waits(Err(unreachable()), MAX_POLL_INTERVAL), MAX_POLL_INTERVAL);
    }

    #[test]
    fn what_ends_polling_is_told_apart() {
        let step = Step::DeviceCode;
        let detail = |status, error: &str| Detail { status, error: error.to_owned(), ..Detail::default() };
        let refusal = SignInError::Authority;
        for (polled, expected) in [
            (
                refused(400, "bad_verification_code"),
                refusal(Failure::GrantRefused(detail(400, "bad_verification_code"))),
            ),
            (refused(400, "expired_token"), SignInError::TimedOut { step, seconds: 900 }),
            (
                refused(400, "authorization_declined"),
                SignInError::Declined { step, detail: "HTTP 400 authorization_declined".to_owned() },
            ),
            (refused(401, "invalid_client"), refusal(Failure::Misconfigured(detail(401, "invalid_client")))),
            // Whoever answers this is no authority; it would be no better the next time.
            (answered(404, None, "<html>"), refusal(Failure::Unavailable(detail(404, "")))),
            (answered(200, None, "<html>"), refusal(Failure::Unavailable(detail(200, "")))),
            (Err(SignInError::BrokeOff), SignInError::BrokeOff),
        ] {
            assert_eq!(after(polled, 5, 900).expect_err("it ends"), expected);
        }
    }

    #[test]
    fn nobody_is_sent_to_a_page_that_is_not_https() {
        let codes = |uri: &str| Codes {
            device_code: SecretString::from("d"),
            user_code: "ABC\u{1b}[2J".to_owned(),
            verification_uri: uri.to_owned(),
            expires_in: 900,
            interval: 5,
        };
        let insecure = "which is not https";
        for (uri, why) in [
            ("http://login.example/device", insecure),
            ("javascript:alert(1)", insecure),
            ("file:///etc/passwd", insecure),
            ("//login.example/device", insecure),
            ("", insecure),
            ("https://login.example@evil.example/", "which has a user name before the host"),
            ("https://:login.example@evil.example/", "which has a user name before the host"),
        ] {
            let Err(Halt::Skip(said)) = shown_code(&codes(uri)) else { panic!("{uri}") };
            assert_eq!(said, format!("the authority sends people to `{uri}`, {why}"));
        }
        let code = shown_code(&codes("https://login.example/device")).expect("a good one");
        assert_eq!(code.verification_uri.as_str(), "https://login.example/device");
        assert_eq!(code.user_code, "ABC?[2J", "nor does a code draw on their terminal");
    }
}
