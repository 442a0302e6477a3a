//! The browser step: authorization code with PKCE, whose answer comes to a listener on this machine (RFC 8252 section 7.3).

mod listener;
mod page;

use tokio::time::timeout;
use url::Url;
use valet_core_entra::authorize::{Prompt, ReplyError, Request, ResponseMode};
use valet_core_entra::{SecretString, pkce, redeem};

use crate::ask::Ask;
use crate::authority::Authority;
use crate::error::{Halt, SignInError, Step};
use crate::grant::{Grant, with_openid};
use crate::limits::BROWSER_WAIT;
use crate::prompts::{PromptError, Prompts};
use crate::random;
use crate::settings::Settings;
use listener::{Listener, Reply};
use page::Page;
use secrecy::ExposeSecret as _;

/// What ties the answer to the request. Used once.
struct Secrets {
    state: SecretString,
    nonce: SecretString,
    verifier: SecretString,
}

/// Signs in by a browser on this machine.
pub(crate) async fn sign_in(
    settings: &Settings,
    authority: &Authority,
    prompts: &dyn Prompts,
    ask: &Ask,
) -> Result<Grant, Halt> {
    let secrets =
        Secrets { state: random::token(), nonce: random::token(), verifier: pkce::verifier(random::bytes()) };
    let listener = Listener::open(settings.authority.clone(), secrets.state.clone()).await;
    let mut listener =
        listener.map_err(|error| Halt::Skip(format!("no port to listen on for its answer: {error}")))?;
    let url = url(settings, ask, &secrets, listener.redirect_uri());
    let url = Url::parse(url.expose_secret()).expect("the settings were checked to make a URL");
    let reply = match timeout(BROWSER_WAIT, answer(&mut listener, prompts, &url)).await {
        Ok(reply) => reply?,
        Err(_) => {
            let seconds = BROWSER_WAIT.as_secs();
            return Err(SignInError::TimedOut { step: Step::Browser, seconds }.into());
        }
    };
    let grant = match reply.code {
        Ok(code) => {
            let redirect_uri = listener.redirect_uri().to_owned();
            redeemed(settings, authority, ask, &secrets, &code, &redirect_uri).await
        }
        Err(error) => Err(refused(error)),
    };
    // The person reads how it ended where they are looking.
    let page = match &grant {
        Ok(grant) => Page::SignedIn { name: grant.account.username.clone() },
        Err(error) => Page::Failed { why: error.to_string() },
    };
    let _ = reply.page.send(page);
    listener.finish().await;
    Ok(grant?)
}

/// Shows the URL and waits for the answer, which may come while it is still being shown.
async fn answer(listener: &mut Listener, prompts: &dyn Prompts, url: &Url) -> Result<Reply, Halt> {
    let prompt = prompts.browser(url);
    let reply = listener.reply();
    tokio::pin!(prompt, reply);
    // The page in the browser leads nowhere then, so another way has to be gone.
    let deaf = |error| Halt::Skip(format!("its answer cannot be taken on loopback: {error}"));
    tokio::select! {
        shown = &mut prompt => match shown {
            Ok(()) => reply.await.map_err(deaf),
            Err(PromptError::Unavailable(why)) => Err(Halt::Skip(why)),
            Err(PromptError::Cancelled) => Err(SignInError::Cancelled(Step::Browser).into()),
        },
        reply = &mut reply => reply.map_err(deaf),
    }
}

fn url(settings: &Settings, ask: &Ask, secrets: &Secrets, redirect_uri: &str) -> SecretString {
    let request = Request {
        client: settings.client(),
        redirect_uri,
        scopes: &with_openid(&ask.scopes),
        state: &secrets.state,
        nonce: &secrets.nonce,
        challenge: &pkce::challenge(&secrets.verifier),
        response_mode: ResponseMode::FormPost,
        // Whose session the browser has does not decide who signs in, unless it is known who is meant.
        prompt: ask.login_hint.is_none().then_some(Prompt::SelectAccount),
        login_hint: ask.login_hint.as_deref(),
        domain_hint: None,
        claims: Some(&ask.claims),
    };
    request.url()
}

async fn redeemed(
    settings: &Settings,
    authority: &Authority,
    ask: &Ask,
    secrets: &Secrets,
    code: &SecretString,
    redirect_uri: &str,
) -> Result<Grant, SignInError> {
    let client = settings.client();
    let request = redeem::Request {
        client,
        code,
        redirect_uri,
        verifier: &secrets.verifier,
        scopes: &with_openid(&ask.scopes),
        claims: Some(&ask.claims),
    };
    let answer = authority.post(client.token_url(), request.body()).await?;
    let tokens =
        valet_core_entra::answer::read_tokens(answer.status, answer.retry_after.as_deref(), &answer.body)
            .map_err(SignInError::Authority)?;
    let mut grant = Grant::read(tokens, &ask.scopes, Some(&secrets.nonce), settings)?;
    grant.source = Some("authorization_code");
    ask.admit(&grant.account)?;
    Ok(grant)
}

fn refused(error: ReplyError) -> SignInError {
    match error {
        ReplyError::Refused { error, description } => {
            SignInError::Declined { step: Step::Browser, detail: format!("{error}: {description}") }
        }
        other => SignInError::Reply(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::tests::perfect;

    /// Whatever the authority says of itself: its endpoints are not taken from its metadata.
    #[test]
    fn what_is_opened_is_a_page_of_the_configured_authority() {
        let settings = perfect().checked().unwrap();
        let mut ask = Ask::new(&["https://graph.microsoft.com/User.Read"], None).unwrap();
        ask.login_hint = Some("a@b.example/../../ https://evil.example #?&prompt=none\r\n".to_owned());
        let secrets = Secrets {
            state: random::token(),
            nonce: random::token(),
            verifier: pkce::verifier(random::bytes()),
        };
        let opened =
            Url::parse(url(&settings, &ask, &secrets, "http://localhost:1").expose_secret()).unwrap();
        assert_eq!(opened.origin().ascii_serialization(), settings.authority);
        assert_eq!(opened.path(), format!("/{}/oauth2/v2.0/authorize", settings.tenant));
        assert_eq!((opened.username(), opened.password(), opened.fragment()), ("", None, None));
        let hint = opened.query_pairs().find(|(name, _)| name == "login_hint").unwrap().1.into_owned();
        assert_eq!(Some(hint), ask.login_hint, "one parameter, as it is");
    }
}
