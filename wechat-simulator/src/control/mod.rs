//! Steering the simulator: from a test by [`Control`], over HTTP by `/sim/*`.

pub(crate) mod http;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;

use crate::clock::SharedClock;
use crate::content::{TextRule, Verdict};
use crate::faults::Fault;
use crate::ids;
use crate::messages::{Answer, Message};
use crate::push::{self, Delivery, Event};
use crate::settings::{Persona, Push};
use crate::world::World;

/// Why the simulator could not do what it was told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// Nobody has this name or openid.
    #[error("there is no persona {0:?}")]
    UnknownPersona(String),
    /// No template has this id.
    #[error("there is no template {0:?}")]
    UnknownTemplate(String),
    /// The name or the openid is taken.
    #[error("there is a persona {0:?} already")]
    PersonaExists(String),
    /// There is nowhere to push to.
    #[error("no push endpoint is set")]
    NoPush,
    /// The push endpoint did not pass WeChat's check.
    #[error("the push endpoint failed the check: {0}")]
    PushCheck(String),
    /// Something in the command makes no sense.
    #[error("{0}")]
    Invalid(String),
}

/// Every `/sim/*` command for a test in the same process. Cheap to clone. A persona is given by name or openid.
#[derive(Clone)]
pub struct Control {
    world: Arc<World>,
}

impl Control {
    pub(crate) fn new(world: Arc<World>) -> Self {
        Self { world }
    }

    /// The clock of every expiry.
    #[must_use]
    pub fn clock(&self) -> &SharedClock {
        &self.world.settings.clock
    }

    /// Moves that clock forward.
    pub fn advance(&self, by: Duration) {
        self.clock().advance(by);
    }

    /// Everybody there is.
    #[must_use]
    pub fn personas(&self) -> Vec<Persona> {
        self.world.state().people.all().to_vec()
    }

    /// One more person.
    pub fn add_persona(&self, persona: Persona) -> Result<(), ControlError> {
        self.world.state().people.add(persona)
    }

    fn openid(&self, persona: &str) -> Result<String, ControlError> {
        self.world.state().people.find(persona).map(|persona| persona.openid.clone())
    }

    /// What `wx.login` gives: good once, for five minutes.
    pub fn login_code(&self, persona: &str) -> Result<String, ControlError> {
        let openid = self.openid(persona)?;
        Ok(self.world.state().logins.login_codes.issue(ids::login_code(), &openid, self.world.now()))
    }

    /// What the phone number button gives: good once, for five minutes.
    pub fn phone_code(&self, persona: &str) -> Result<String, ControlError> {
        let openid = self.openid(persona)?;
        Ok(self.world.state().logins.phone_codes.issue(ids::phone_code(), &openid, self.world.now()))
    }

    /// The person accepts a template's messages `times` times, and the backend is pushed as many popup events. They are
    /// a second apart, the last one now, so that no two look like repetitions of one.
    pub fn accept_consent(&self, persona: &str, template: &str, times: u32) -> Result<(), ControlError> {
        self.answer_consent(persona, template, Answer::Accept, times)
    }

    /// The person accepts (`times` times), switches the template off, or is banned from it; the backend is told.
    pub fn answer_consent(
        &self,
        persona: &str,
        template: &str,
        answer: Answer,
        times: u32,
    ) -> Result<(), ControlError> {
        let openid = self.openid(persona)?;
        self.world.template(template).ok_or_else(|| ControlError::UnknownTemplate(template.to_owned()))?;
        self.world.state().mailbox.answer(&openid, template, answer, times);
        let (event, times) = match answer {
            Answer::Accept => (Event::popup(&openid, template, "accept"), times),
            Answer::Reject => (Event::change(&openid, template), 1),
            // WeChat tells the mini-program, not the server.
            Answer::Ban => return Ok(()),
        };
        let world = Arc::clone(&self.world);
        self.world.spawn(async move {
            for ago in (0..times).rev() {
                push::deliver_at(&world, &event, TimeDelta::seconds(ago.into())).await;
            }
        });
        Ok(())
    }

    /// How many messages of the template the person will still take.
    pub fn consents_left(&self, persona: &str, template: &str) -> Result<u32, ControlError> {
        let openid = self.openid(persona)?;
        Ok(self.world.state().mailbox.left(&openid, template))
    }

    /// The messages a person got, the oldest first; nobody, none.
    #[must_use]
    pub fn sent_messages(&self, persona: &str) -> Vec<Message> {
        let state = self.world.state();
        state.people.find(persona).map(|persona| state.mailbox.messages(&persona.openid)).unwrap_or_default()
    }

    /// From now on.
    pub fn fault(&self, fault: Fault) {
        self.world.state().faults.add(fault);
    }

    /// Ends every fault.
    pub fn clear_faults(&self) {
        self.world.state().faults.clear();
    }

    /// A verdict for texts, before all earlier ones.
    pub fn script_text(&self, rule: TextRule) {
        self.world.state().checks.text_rules.push_front(rule);
    }

    /// A verdict for the next picture or sound that no address rule decides; several queue up.
    pub fn script_next_media(&self, verdict: impl Into<Verdict>) {
        self.world.state().checks.next_media.push_back(verdict.into());
    }

    /// A verdict for pictures and sounds whose address contains `part`.
    pub fn script_media_url(&self, part: &str, verdict: impl Into<Verdict>) {
        self.world.state().checks.media_rules.push_front((part.to_owned(), verdict.into()));
    }

    /// How long a media check takes from now on, in real time.
    pub fn set_media_delay(&self, delay: Duration) {
        self.world.state().checks.media_delay = Some(delay);
    }

    /// Ends every access token, as when somebody else had refreshed (40001).
    pub fn expire_token(&self) {
        self.world.state().tokens.expire(false);
    }

    /// As [`Control::expire_token`], but the stable call's normal mode hands the dead token out again until a refresh is
    /// forced.
    pub fn expire_token_stuck(&self) {
        self.world.state().tokens.expire(true);
    }

    /// How often a path was called, faults included.
    #[must_use]
    pub fn call_count(&self, path: &str) -> u64 {
        self.world.state().faults.calls().get(path).copied().unwrap_or_default()
    }

    /// How often each path was called.
    #[must_use]
    pub fn calls(&self) -> BTreeMap<String, u64> {
        self.world.state().faults.calls().clone()
    }

    /// Where events are pushed to from now on.
    pub fn set_push(&self, push: Option<Push>) {
        self.world.state().push = push;
    }

    /// Makes the check that WeChat makes when the endpoint is set up: a signed GET that must echo.
    pub async fn verify_push(&self) -> Result<(), ControlError> {
        let push = self.world.state().push.clone().ok_or(ControlError::NoPush)?;
        push::verify(&self.world, &push).await.map_err(ControlError::PushCheck)
    }

    /// Pushes an event and waits until it is delivered or given up.
    pub async fn send_event(&self, event: Event) -> Result<Delivery, ControlError> {
        self.openid(&event.persona)?;
        push::deliver(&self.world, &event).await.ok_or(ControlError::NoPush)
    }

    /// The latest pushes, the oldest first.
    #[must_use]
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.world.state().deliveries.all()
    }

    /// Waits until no push and no media check is under way.
    pub async fn settled(&self) {
        self.world.settled().await;
    }

    /// What the page offers to copy beside a login code, `{code}` standing for it: how to sign in to the backend.
    pub fn set_sign_in_hint(&self, hint: &str) {
        self.world.state().sign_in_hint = Some(hint.to_owned());
    }
}
