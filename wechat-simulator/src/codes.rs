//! Ways into the mini-program: unlimited codes, URL links and schemes.

use actix_web::{HttpResponse, web};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::errcode::Errcode;
use crate::ids;
use crate::picture;
use crate::rates::Counted;
use crate::tokens::Authorised;
use crate::wire::{Body, ok};
use crate::world::World;

const ENVIRONMENTS: [&str; 3] = ["release", "trial", "develop"];
const LONGEST_QUERY: usize = 1_024;
const LONGEST_LIFE_DAYS: i64 = 30;

#[derive(Deserialize)]
pub(crate) struct CodeRequest {
    #[serde(default)]
    scene: String,
    page: Option<String>,
    #[serde(default = "yes")]
    check_path: bool,
    env_version: Option<String>,
    #[serde(default = "usual_width")]
    width: u32,
}

fn yes() -> bool {
    true
}

fn usual_width() -> u32 {
    430
}

fn is_scene(scene: &str) -> bool {
    (1..=picture::LONGEST_SCENE).contains(&scene.len())
        && scene.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&'()*+,/:;=?@-._~".contains(&b))
}

fn is_environment(name: Option<&str>) -> bool {
    name.is_none_or(|name| ENVIRONMENTS.contains(&name))
}

/// `POST /wxa/getwxacodeunlimit`: an image, or a JSON error.
pub(crate) async fn unlimited(
    _: Authorised,
    world: web::Data<World>,
    body: Body<CodeRequest>,
) -> Result<HttpResponse, Errcode> {
    let request = body.0;
    if !is_scene(&request.scene) {
        return Err(Errcode::INVALID_SCENE);
    }
    if request.scene.contains("scancode_time") {
        return Err(Errcode::RESERVED_FIELD);
    }
    let page = request.page.as_deref().unwrap_or_default();
    let well_formed = !page.starts_with('/') && !page.contains('?');
    if !well_formed || (request.check_path && !page.is_empty() && !world.has_page(page)) {
        return Err(Errcode::INVALID_PAGE);
    }
    if !(280..=1_280).contains(&request.width) || !is_environment(request.env_version.as_deref()) {
        return Err(Errcode::INVALID_ARGS);
    }
    let now = world.now();
    world.hit(&mut world.state(), Counted::Code, now)?;
    let drawing = web::block(move || picture::draw(&request.scene, request.width)).await;
    let image = drawing.ok().flatten().ok_or(Errcode::BUSY)?;
    Ok(HttpResponse::Ok().content_type("image/jpeg").body(image))
}

#[derive(Deserialize)]
pub(crate) struct Expiry {
    /// 0: a moment; 1: a number of days.
    #[serde(default, rename = "expire_type")]
    kind: i64,
    #[serde(rename = "expire_time")]
    moment: Option<i64>,
    #[serde(rename = "expire_interval")]
    days: Option<i64>,
}

impl Expiry {
    /// From a minute to 30 days ahead; when it says nothing, 30 days.
    fn check(&self, now: DateTime<Utc>) -> Result<(), Errcode> {
        let in_range = match (self.kind, self.moment, self.days) {
            (0, None, _) | (1, _, None) => true,
            (0, Some(time), _) => {
                let longest = TimeDelta::days(LONGEST_LIFE_DAYS).num_seconds();
                (60..=longest).contains(&time.saturating_sub(now.timestamp()))
            }
            (1, _, Some(days)) => (1..=LONGEST_LIFE_DAYS).contains(&days),
            _ => false,
        };
        if in_range { Ok(()) } else { Err(Errcode::INVALID_EXPIRY) }
    }
}

#[derive(Deserialize, Default)]
pub(crate) struct Target {
    path: Option<String>,
    query: Option<String>,
    env_version: Option<String>,
}

impl Target {
    fn check(&self, world: &World) -> Result<(), Errcode> {
        // Unlike a code's page, a link's path may begin with a slash.
        let path = self.path.as_deref().unwrap_or_default();
        if !path.is_empty() && !world.has_page(path.strip_prefix('/').unwrap_or(path)) {
            return Err(Errcode::INVALID_PATH);
        }
        let query = self.query.as_deref().unwrap_or_default();
        if query.len() > LONGEST_QUERY || !query.chars().all(|c| c.is_ascii_graphic()) {
            return Err(Errcode::INVALID_QUERY);
        }
        if is_environment(self.env_version.as_deref()) { Ok(()) } else { Err(Errcode::INVALID_ENV) }
    }
}

#[derive(Deserialize)]
pub(crate) struct LinkRequest {
    #[serde(flatten)]
    target: Target,
    #[serde(flatten)]
    expiry: Expiry,
}

fn count_link(world: &World, target: &Target, expiry: &Expiry) -> Result<(), Errcode> {
    target.check(world)?;
    let now = world.now();
    expiry.check(now)?;
    world.hit(&mut world.state(), Counted::Link, now)
}

/// `POST /wxa/generate_urllink`
pub(crate) async fn url_link(
    _: Authorised,
    world: web::Data<World>,
    body: Body<LinkRequest>,
) -> Result<web::Json<Value>, Errcode> {
    count_link(&world, &body.0.target, &body.0.expiry)?;
    Ok(ok(json!({ "url_link": format!("https://wxaurl.cn/{}", ids::link_key()) })))
}

#[derive(Deserialize)]
pub(crate) struct SchemeRequest {
    #[serde(default)]
    jump_wxa: Target,
    #[serde(flatten)]
    expiry: Expiry,
}

/// `POST /wxa/generatescheme`
pub(crate) async fn scheme(
    _: Authorised,
    world: web::Data<World>,
    body: Body<SchemeRequest>,
) -> Result<web::Json<Value>, Errcode> {
    count_link(&world, &body.0.jump_wxa, &body.0.expiry)?;
    Ok(ok(json!({ "openlink": format!("weixin://dl/business/?t={}", ids::link_key()) })))
}
