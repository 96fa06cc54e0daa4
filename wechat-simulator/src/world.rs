//! What the simulator knows, and the tasks it runs beside its requests.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::content::Checks;
use crate::control::ControlError;
use crate::errcode::Errcode;
use crate::faults::Faults;
use crate::login::Logins;
use crate::messages::Mailbox;
use crate::push::Deliveries;
use crate::rates::{Counted, Rates};
use crate::settings::{Persona, Push, Settings, Template};
use crate::tokens::Tokens;

/// One simulated WeChat.
pub(crate) struct World {
    /// As started; the people and the push target live in the state.
    pub(crate) settings: Settings,
    pub(crate) http: reqwest::Client,
    state: Mutex<State>,
    runtime: Handle,
    tasks: Mutex<JoinSet<()>>,
    running: watch::Sender<usize>,
}

/// What changes.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) people: People,
    pub(crate) push: Option<Push>,
    pub(crate) sign_in_hint: Option<String>,
    pub(crate) tokens: Tokens,
    pub(crate) logins: Logins,
    pub(crate) checks: Checks,
    pub(crate) mailbox: Mailbox,
    pub(crate) faults: Faults,
    pub(crate) deliveries: Deliveries,
    rates: Rates,
}

/// The people, found by name or by openid. Nobody ever leaves.
#[derive(Default)]
pub(crate) struct People {
    all: Vec<Persona>,
    by_key: HashMap<String, usize>,
}

impl People {
    pub(crate) fn add(&mut self, persona: Persona) -> Result<(), ControlError> {
        if let Some(taken) = [&persona.name, &persona.openid].into_iter().find(|key| self.by_key.contains_key(*key)) {
            return Err(ControlError::PersonaExists(taken.clone()));
        }
        for key in [&persona.name, &persona.openid] {
            self.by_key.insert(key.clone(), self.all.len());
        }
        self.all.push(persona);
        Ok(())
    }

    pub(crate) fn all(&self) -> &[Persona] {
        &self.all
    }

    pub(crate) fn find(&self, key: &str) -> Result<&Persona, ControlError> {
        let found = self.by_key.get(key).and_then(|index| self.all.get(*index));
        found.ok_or_else(|| ControlError::UnknownPersona(key.to_owned()))
    }
}

impl State {
    pub(crate) fn persona(&self, openid: &str) -> Option<&Persona> {
        self.people.find(openid).ok().filter(|persona| persona.openid == openid)
    }

    /// Refuses an openid that is malformed, or that is none of this mini-program's.
    pub(crate) fn known(&self, openid: &str) -> Result<(), Errcode> {
        match self.persona(openid) {
            Some(_) => Ok(()),
            None if openid.len() == 28 && openid.starts_with('o') => Err(Errcode::OPENID_OF_ANOTHER_APP),
            None => Err(Errcode::INVALID_OPENID),
        }
    }
}

impl World {
    pub(crate) fn new(mut settings: Settings, runtime: Handle) -> Result<Self, String> {
        let mut state = State { push: settings.push.take(), ..State::default() };
        state.mailbox.accepted_beforehand = settings.accepted_beforehand;
        for persona in std::mem::take(&mut settings.personas) {
            state.people.add(persona).map_err(|error| error.to_string())?;
        }
        // Redirects are followed and proxies ignored: what is fetched and pushed to is nearly always on this machine.
        let http = reqwest::Client::builder().no_proxy().build().map_err(|error| error.to_string())?;
        Ok(Self {
            settings,
            http,
            state: Mutex::new(state),
            runtime,
            tasks: Mutex::default(),
            running: watch::Sender::new(0),
        })
    }

    /// Held only between awaits, never across one.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.settings.clock.now()
    }

    pub(crate) fn template(&self, id: &str) -> Option<&Template> {
        self.settings.templates.iter().find(|template| template.id == id)
    }

    /// Whether the page is one of those published.
    pub(crate) fn has_page(&self, path: &str) -> bool {
        let well_formed = !path.starts_with('/') && !path.contains('?') && path.len() <= 128;
        well_formed && (self.settings.pages.is_empty() || self.settings.pages.iter().any(|page| page == path))
    }

    pub(crate) fn check_credential(
        &self,
        appid: Option<&str>,
        secret: Option<&str>,
        bad_secret: Errcode,
    ) -> Result<(), Errcode> {
        if appid.ok_or(Errcode::MISSING_APPID)? != self.settings.appid {
            return Err(Errcode::INVALID_APPID);
        }
        if secret.ok_or(Errcode::MISSING_SECRET)? != self.settings.secret {
            return Err(bad_secret);
        }
        Ok(())
    }

    /// Counts one against WeChat's limits.
    pub(crate) fn hit(&self, state: &mut State, counted: Counted, now: DateTime<Utc>) -> Result<(), Errcode> {
        if self.settings.rate_limits { state.rates.hit(counted, now) } else { Ok(()) }
    }

    /// Refuses a person who has not logged in within the active window.
    pub(crate) fn active(&self, state: &State, openid: &str, now: DateTime<Utc>) -> Result<(), Errcode> {
        let Some(window) = self.settings.active_window else { return Ok(()) };
        let window = TimeDelta::from_std(window).unwrap_or(TimeDelta::MAX);
        let session = state.logins.sessions.get(openid).filter(|session| now - session.since <= window);
        session.map(|_| ()).ok_or(Errcode::NOT_ACTIVE)
    }

    /// Runs beside the requests until it is done or the simulator stops.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.running.send_modify(|running| *running += 1);
        let done = Done(self.running.clone());
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn_on(
            async move {
                let _done = done;
                task.await;
            },
            &self.runtime,
        );
    }

    /// Waits until no such task runs.
    pub(crate) async fn settled(&self) {
        // Fails only when the sender is gone, and `self` holds it.
        let _ = self.running.subscribe().wait_for(|running| *running == 0).await;
    }

    pub(crate) fn abort_tasks(&self) {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
    }
}

/// Counts a task out, also when it was aborted or panicked.
struct Done(watch::Sender<usize>);

impl Drop for Done {
    fn drop(&mut self) {
        self.0.send_modify(|running| *running = running.saturating_sub(1));
    }
}
