//! Who the person is: by script, by an earlier step of the same sign-in, by the browser's session, or by account and
//! password.

use super::{Identity, Outcome, Prompt, Step, Visit, pages};
use crate::errors::Refusal;
use crate::registrations::User;
use crate::sign_in::proof::Proof;
use crate::state::{Session, SignIn};

impl<'a> Visit<'a> {
    /// Finds out who signs in, or what has to be asked for that.
    pub(super) fn identify(
        &self,
        step: &Step<'_>,
        session: Option<Session>,
    ) -> Result<Identity<'a>, Outcome<'a>> {
        let session = session.filter(|_| self.prompt != Prompt::Login);
        if let Some(user) = self.approver(step) {
            return self.admitted(user).map(|user| self.again(user, session));
        }
        let proven =
            step.field("proof").and_then(|text| Proof::open(text, self.state, self.request)).and_then(|p| {
                let user = self.all.user(&p.user.to_string())?;
                Some(Identity { user, sign_in: p.sign_in, remembered: false })
            });
        let named = step.account().and_then(|id| self.all.user(&id.to_string()));
        match (step.form, named) {
            (None, _) => self.without_form(session),
            (Some(_), Some(user)) => match proven.filter(|p| p.user.id == user.id) {
                Some(proven) => self.admitted(user).map(|_| proven),
                None => self.by_account(step, user, session),
            },
            (Some(_), None) => Err(Outcome::page(pages::accounts(self))),
        }
    }

    /// Single sign-on, if the request and the session allow it.
    fn without_form(&self, session: Option<Session>) -> Result<Identity<'a>, Outcome<'a>> {
        let hinted = self.login_hint.and_then(|hint| self.all.user(hint)).and_then(|u| self.here(u));
        let remembered = session.and_then(|s| {
            let user = self.here(self.all.user(&s.user.to_string())?)?;
            let wanted = self.login_hint.is_none() || hinted.is_some_and(|h| h.id == user.id);
            wanted.then_some(Identity { user, sign_in: s.sign_in, remembered: true })
        });
        match (self.prompt, remembered, hinted) {
            (Prompt::SelectAccount, _, _) => Err(Outcome::page(pages::accounts(self))),
            (_, Some(remembered), _) => Ok(remembered),
            (Prompt::None, None, _) => Err(Outcome::Refused(Refusal::NoSession)),
            // Entra goes on to the password of the hinted account; without one there is only its button to press.
            (_, None, Some(user)) if self.password(user).is_some() => {
                Err(Outcome::page(pages::password(self, user, None)))
            }
            (_, None, _) => Err(Outcome::page(pages::accounts(self))),
        }
    }

    /// The button of an account was pressed, or its password given.
    fn by_account(
        &self,
        step: &Step<'_>,
        user: &'a User,
        session: Option<Session>,
    ) -> Result<Identity<'a>, Outcome<'a>> {
        let user = self.admitted(user)?;
        let known = self.again(user, session);
        match (self.password(user), step.field("password")) {
            (None, _) => Ok(known),
            _ if known.remembered => Ok(known),
            (Some(right), Some(given)) if right == given => Ok(known),
            (Some(_), Some(_)) => {
                Err(Outcome::page(pages::password(self, user, Some(&Refusal::WrongPassword))))
            }
            (Some(_), None) => Err(Outcome::page(pages::password(self, user, None))),
        }
    }

    /// Signed in before, or just now.
    fn again(&self, user: &'a User, session: Option<Session>) -> Identity<'a> {
        let held = session.filter(|s| {
            self.all.user(&s.user.to_string()).is_some_and(|signed_in| same_person(signed_in, user))
        });
        match held {
            Some(session) => Identity { user, sign_in: session.sign_in, remembered: true },
            None => {
                let sign_in = SignIn { at: self.state.clock.now(), mfa: false };
                Identity { user, sign_in, remembered: false }
            }
        }
    }

    /// A user who may sign in here; others are told on a page, as Entra does.
    fn admitted(&self, user: &'a User) -> Result<&'a User, Outcome<'a>> {
        match self.realm.check_account(self.client, user) {
            Ok(()) => Ok(user),
            Err(refusal) => Err(Outcome::page(pages::refusal(self.trace, &refusal))),
        }
    }

    /// The account of the same person in this realm: the home account, or the guest it is here.
    pub(super) fn here(&self, user: &User) -> Option<&'a User> {
        self.accounts().find(|u| same_person(u, user))
    }

    /// The accounts to choose from.
    pub(super) fn accounts(&self) -> impl Iterator<Item = &'a User> {
        self.all.users.iter().filter(|u| self.realm.check_account(self.client, u).is_ok())
    }

    /// The password to be asked: a guest's is that of the home account.
    fn password(&self, user: &'a User) -> Option<&'a str> {
        let home = user.home.and_then(|id| self.all.user(&id.to_string())).unwrap_or(user);
        home.password.as_deref()
    }
}

fn same_person(one: &User, other: &User) -> bool {
    one.home.unwrap_or(one.id) == other.home.unwrap_or(other.id)
}
