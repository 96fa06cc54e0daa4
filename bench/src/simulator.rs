//! WeChat's stand-in, as a process of its own so that its work is not taken for Linli's.

use std::net::{SocketAddr, TcpListener};

use wechat_simulator::{Persona, Settings, Simulator};

use crate::{Failure, people};

/// How many people have a phone that signs in.
pub const PHONES: u32 = 200;

/// The persona of a person who has a phone.
pub fn persona(number: u32) -> String {
    format!("bench-{number}")
}

/// Serves until the process is ended.
pub async fn serve(listen: SocketAddr) -> Result<(), Failure> {
    let personas = (0..PHONES).map(|number| Persona {
        name: persona(number),
        openid: people::openid(number),
        unionid: None,
        phone: format!("139{number:08}"),
        label: persona(number),
    });
    let settings =
        Settings { personas: personas.collect(), rate_limits: false, active_window: None, ..Settings::default() };
    let simulator = Simulator::start(TcpListener::bind(listen)?, settings)?;
    std::future::pending::<()>().await;
    simulator.stop().await;
    Ok(())
}
