//! A stand-in for WeChat's server API, for anyone who writes a mini-program's backend.
//!
//! It answers the calls a backend makes (signing in, tokens, phone numbers, content checks, subscribe messages, codes and
//! links) as WeChat does, with its errcodes, expiries, quotas and pushes, and it can be told to misbehave. `/sim/*` and
//! [`Control`] steer it; `/` shows each person's phone.
//!
//! ```
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use wechat_simulator::{Settings, Simulator};
//!
//! let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
//! let wechat = Simulator::start(listener, Settings::default())?;
//! let code = wechat.control().login_code("wang")?;
//! // … give `wechat.base_url()` to the backend, send it `code` …
//! wechat.stop().await;
//! # Ok(()) }
//! ```
//!
//! Nothing is global: any number of simulators run in one process, each with its own clock.

#![allow(clippy::doc_markdown, reason = "WeChat is a name")]

mod clock;
mod codes;
mod content;
mod control;
pub mod crypto;
mod errcode;
mod faults;
mod fields;
mod ids;
mod login;
mod messages;
mod picture;
mod push;
mod rates;
mod settings;
mod tokens;
mod wire;
mod world;

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;

use actix_web::dev::ServerHandle;
use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, Route, web};

pub use clock::SharedClock;
pub use content::{Suggest, TextRule, Verdict};
pub use control::{Control, ControlError};
pub use errcode::Errcode;
pub use faults::Fault;
pub use fields::fits;
pub use messages::{Answer, Field, Message};
pub use picture::read_code;
pub use push::{Delivery, Event, ListShape};
pub use settings::{Persona, Push, PushMode, Settings, Template};

use world::World;

/// A running simulator. It stops when it is dropped; [`Simulator::stop`] waits for that.
pub struct Simulator {
    base_url: String,
    world: Arc<World>,
    control: Control,
    server: ServerHandle,
}

impl Simulator {
    /// Serves on an already bound listener, inside the current tokio runtime.
    pub fn start(listener: TcpListener, settings: Settings) -> io::Result<Self> {
        let runtime = tokio::runtime::Handle::try_current().map_err(io::Error::other)?;
        // Taken already when the process has another TLS client, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut address = listener.local_addr()?;
        if address.ip().is_unspecified() {
            address.set_ip(Ipv4Addr::LOCALHOST.into());
        }
        let world = Arc::new(World::new(settings, runtime.clone()).map_err(io::Error::other)?);
        let control = Control::new(Arc::clone(&world));
        let shared = (web::Data::from(Arc::clone(&world)), web::Data::new(control.clone()));
        let server = HttpServer::new(move || {
            let (world, control) = shared.clone();
            App::new().app_data(world).app_data(control).configure(control::http::routes).configure(wechat)
        })
        .on_connect(faults::keep_connection)
        .workers(2)
        .disable_signals()
        .listen(listener)?
        .run();
        let handle = server.handle();
        runtime.spawn(server);
        Ok(Self { base_url: format!("http://{address}"), world, control, server: handle })
    }

    /// Such as `http://127.0.0.1:18080`.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Where events are pushed to from now on.
    pub fn set_push(&self, push: Option<Push>) {
        self.control.set_push(push);
    }

    /// Steers the simulator.
    #[must_use]
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// Stops serving and gives up pushes under way.
    pub async fn stop(self) {
        self.world.abort_tasks();
        self.server.stop(false).await;
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.world.abort_tasks();
        // The order to stop is sent at once; waiting for it is what the future is for.
        drop(self.server.stop(false));
    }
}

/// WeChat's calls.
fn wechat(config: &mut web::ServiceConfig) {
    type Call = (&'static str, Route);
    let gets: [Call; 3] = [
        ("/sns/jscode2session", web::get().to(login::code_to_session)),
        ("/cgi-bin/token", web::get().to(tokens::plain)),
        ("/wxa/checksession", web::get().to(login::check_session)),
    ];
    let posts: [Call; 8] = [
        ("/cgi-bin/stable_token", web::post().to(tokens::stable)),
        ("/cgi-bin/message/subscribe/send", web::post().to(messages::send)),
        ("/wxa/business/getuserphonenumber", web::post().to(login::phone_number)),
        ("/wxa/msg_sec_check", web::post().to(content::text)),
        ("/wxa/media_check_async", web::post().to(content::media)),
        ("/wxa/getwxacodeunlimit", web::post().to(codes::unlimited)),
        ("/wxa/generate_urllink", web::post().to(codes::url_link)),
        ("/wxa/generatescheme", web::post().to(codes::scheme)),
    ];
    let gets = gets.into_iter().map(|call| (call, Errcode::REQUIRE_GET));
    let posts = posts.into_iter().map(|call| (call, Errcode::REQUIRE_POST));
    for ((path, route), other_method) in gets.chain(posts) {
        let refuse = move || async move { Err::<&'static str, _>(other_method) };
        let call = web::resource(path).wrap(from_fn(faults::gate)).route(route).default_service(web::to(refuse));
        config.service(call);
    }
}
