//! `linli demo`: the whole product in one process, with the people and facts of the seed document and a WeChat simulator.

mod cases;
mod certificates;
mod delivery;
mod figures;
mod funds;
mod needs;
mod notices;
mod organisations;
mod participants;
mod people;
mod points;
mod polls;
mod programmes;
mod rewards;
mod seed;
mod seven_steps;
mod sites;
mod surveys;
mod topics;
mod volunteering;

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use secrecy::SecretString;
use tokio::sync::watch;
use wechat_simulator::{Persona, Push, PushMode, Settings, SharedClock, Simulator, Template};

use crate::app;
use crate::cli::stop_signal;
use crate::notifications::Template as Message;
use crate::platform::clock::Clock;
use crate::platform::config::Config;
use crate::platform::crypto::hex;
use crate::platform::db::Db;
use crate::platform::ids;
use crate::platform::jobs::worker;
use crate::platform::state::{AppState, SetupError};
use crate::platform::telemetry;

pub use organisations::organisation_id;
pub use people::{PEOPLE, openid, phone_of};
pub use seed::{place_id, seed, user_id};

/// What people of the demo have done already, through the capabilities: so it is told, noticed and counted like everything else.
pub async fn act(state: &AppState) -> Result<(), SetupError> {
    // First, for it happened first.
    seven_steps::act(state).await?;
    points::seed(state).await?;
    certificates::act(state).await?;
    programmes::act(state).await?;
    cases::seed(state).await?;
    funds::act(state).await?;
    figures::seed(state).await?;
    notices::act(state).await?;
    Ok(())
}

/// Runs the demo until it is told to stop.
pub async fn run(listen: SocketAddr, simulator: SocketAddr, data_dir: &Path) -> Result<(), SetupError> {
    let mut config = Config::demo()?;
    telemetry::start(&config.log);
    std::fs::create_dir_all(data_dir)?;
    let listener = TcpListener::bind(listen).map_err(|error| format!("{listen}: {error}"))?;
    let simulator = TcpListener::bind(simulator).map_err(|error| format!("{simulator}: {error}"))?;
    config.public_url = format!("http://{}", listener.local_addr()?);
    config.data_dir = data_dir.to_owned();
    if std::env::var_os("LINLI_DATABASE_URL").is_none() {
        config.database_url = format!("sqlite://{}?mode=rwc", data_dir.join("linli.db").display());
    }
    let keys = keys(data_dir)?;
    config.secrets.master_key = Some(keys.0);
    config.secrets.data_keys = Some(keys.1);

    let clock = SharedClock::new();
    let simulator = start_simulator(&config, simulator, clock.clone())?;
    config.wechat.base_url = simulator.base_url().to_owned();
    Db::migrate(&config.database_url).await?;
    let state = AppState::new(config, Clock::with_offset(clock.offset_ms()), app::capabilities()).await?;
    seed(&state).await?;
    act(&state).await?;

    let (stop, stopped) = watch::channel(false);
    let worker = actix_web::rt::spawn(worker::run(state.clone(), stopped));
    let server = app::serve(&state, listener)?;
    let handle = server.handle();
    actix_web::rt::spawn(async move {
        stop_signal().await;
        // The worker first: connections that the server's threads opened end with these threads.
        let _ = stop.send(true);
        if let Err(error) = worker.await {
            tracing::error!(%error, "the worker died");
        }
        handle.stop(true).await;
    });
    greet(&state.config.public_url, simulator.base_url())?;
    server.await?;
    simulator.stop().await;
    Ok(())
}

/// Starts WeChat's stand-in with everybody of [`PEOPLE`]; their phones accept messages beforehand, so that Linli's own count
/// of consents decides what is sent.
pub fn start_simulator(config: &Config, listener: TcpListener, clock: SharedClock) -> Result<Simulator, SetupError> {
    use secrecy::ExposeSecret;
    let exposed =
        |secret: Option<&SecretString>| secret.map(|secret| secret.expose_secret().to_owned()).unwrap_or_default();
    let templates = Message::ALL.map(|template| Template {
        id: template.word().to_owned(),
        title: template.title().to_owned(),
        fields: ["thing1", "thing2", "time3"].map(str::to_owned).to_vec(),
    });
    let settings = Settings {
        appid: config.wechat.appid.clone(),
        secret: exposed(config.wechat.secret.as_ref()),
        personas: people::all()
            .map(|person| Persona {
                openid: openid(&person.name),
                unionid: None,
                phone: person.phone,
                label: person.label,
                name: person.name,
            })
            .collect(),
        templates: templates.to_vec(),
        push: Some(Push {
            url: format!("{}/api/v1/wechat/push", config.public_url),
            token: exposed(config.wechat.push_token.as_ref()),
            encoding_aes_key: exposed(config.wechat.encoding_aes_key.as_ref()),
            mode: PushMode::Secure,
        }),
        accepted_beforehand: 1000,
        clock,
        ..Settings::default()
    };
    Ok(Simulator::start(listener, settings)?)
}

/// The demo's keys, made at the first start and kept beside its database, so that a restart can read what is in it.
fn keys(data_dir: &Path) -> Result<(SecretString, SecretString), SetupError> {
    let file = data_dir.join("keys");
    if !file.exists() {
        let key = || hex(&ids::random_bytes::<32>());
        let mut options = std::fs::OpenOptions::new();
        std::os::unix::fs::OpenOptionsExt::mode(options.write(true).create_new(true), 0o600)
            .open(&file)?
            .write_all(format!("{}\ndemo:{}\n", key(), key()).as_bytes())?;
    }
    let text = std::fs::read_to_string(&file)?;
    let mut lines = text.lines();
    match (lines.next(), lines.next()) {
        (Some(master), Some(data)) => Ok((SecretString::from(master), SecretString::from(data))),
        _ => Err(format!("{} does not hold two keys", file.display()).into()),
    }
}

fn greet(api: &str, simulator: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n邻里 Linli is running. Ctrl-C stops it; what was done is kept.\n")?;
    writeln!(out, "  API              {api}/api/v1        its documentation: {api}/api/docs")?;
    writeln!(out, "  WeChat simulator {simulator}/              phones, login codes, the clock\n")?;
    writeln!(out, "  {:<16} who, and what they may do", "persona")?;
    for person in PEOPLE {
        writeln!(out, "  {:<16} {}", person.names, person.may)?;
    }
    writeln!(out, "\nSign one in:\n")?;
    writeln!(
        out,
        "  curl -s {api}/api/v1/auth/wechat -H 'content-type: application/json' \\\n    -d \"$(curl -s '{simulator}/sim/login-code?persona=resident-1')\"\n"
    )?;
    writeln!(out, "The whole loop in curl: docs/WALKTHROUGH.md")?;
    out.flush()
}
