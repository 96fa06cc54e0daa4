//! `wechat-simulator`: the simulator as a program.

#![allow(clippy::doc_markdown, reason = "WeChat is a name")]

use std::net::{SocketAddr, TcpListener};

use clap::Parser;
use wechat_simulator::{Push, PushMode, Settings, Simulator};

/// A stand-in for WeChat's server API. Anybody who can reach it can be anybody: keep it on this machine.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:18080", env = "WECHAT_SIMULATOR_LISTEN")]
    listen: SocketAddr,
    /// The mini-program's id [default: the demo's].
    #[arg(long)]
    appid: Option<String>,
    /// The mini-program's secret [default: the demo's].
    #[arg(long)]
    secret: Option<String>,
    /// Where to push events.
    #[arg(long, requires_all = ["push_token", "push_aes_key"])]
    push_url: Option<String>,
    /// The token that pushes are signed with.
    #[arg(long)]
    push_token: Option<String>,
    /// The 43 characters of EncodingAESKey.
    #[arg(long)]
    push_aes_key: Option<String>,
    /// Push in clear.
    #[arg(long)]
    push_plain: bool,
    /// Send subscribe messages that nobody accepted.
    #[arg(long)]
    no_consent: bool,
}

impl Arguments {
    fn settings(self) -> Settings {
        let demo = Settings::default();
        let credentials = self.push_token.zip(self.push_aes_key);
        let push = self.push_url.zip(credentials).map(|(url, (token, encoding_aes_key))| Push {
            url,
            token,
            encoding_aes_key,
            mode: if self.push_plain { PushMode::Plain } else { PushMode::Secure },
        });
        Settings {
            appid: self.appid.unwrap_or(demo.appid),
            secret: self.secret.unwrap_or(demo.secret),
            consent_required: !self.no_consent,
            push,
            ..demo
        }
    }
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info,actix=warn".into());
    tracing_subscriber::fmt().with_env_filter(filter).init();
    let arguments = Arguments::parse();
    let listener = TcpListener::bind(arguments.listen)?;
    let settings = arguments.settings();
    tracing::info!(appid = settings.appid, secret = settings.secret, "these are made up: give them to your backend");
    let simulator = Simulator::start(listener, settings)?;
    tracing::info!("the page and the API are at {}", simulator.base_url());
    tokio::signal::ctrl_c().await?;
    simulator.stop().await;
    Ok(())
}
