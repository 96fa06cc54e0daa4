use actix_web::{get, put, web};
use chrono::{DateTime, NaiveDate, Utc};
use entities::ids::UserId;
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::certificates::domain::{DocumentType, Profile, Sex, masked_document};
use crate::certificates::service::profile::{self, Kept};
use crate::identity::Actor;
use crate::platform::code::Code;
use crate::platform::http::{Body, Problem, text, transact};
use crate::platform::state::AppState;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(keep).service(mine).service(reveal);
}

/// What the ministry's certificate asks for beside name and phone number, which Linli has.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewProfile {
    #[garde(skip)]
    sex: Sex,
    #[garde(skip)]
    birth: NaiveDate,
    #[garde(skip)]
    document_type: DocumentType,
    /// Kept encrypted, shown masked. An identity card's number is checked against birth, sex and its check digit.
    #[garde(custom(text::line(20)))]
    document_number: String,
    /// 技能
    #[garde(length(max = 10), inner(custom(text::line(20))))]
    #[serde(default)]
    skills: Vec<String>,
}

/// A volunteer's profile as they see it.
#[derive(Serialize, ToSchema)]
struct ProfileView {
    volunteer_number: String,
    sex: Sex,
    birth: NaiveDate,
    document_type: DocumentType,
    /// Masked.
    document_number: String,
    skills: Vec<String>,
    updated_at: DateTime<Utc>,
}

impl From<Kept> for ProfileView {
    fn from(Kept { profile, number, updated_at }: Kept) -> Self {
        Self {
            volunteer_number: number,
            sex: profile.sex,
            birth: profile.birth,
            document_type: profile.document_type,
            document_number: masked_document(&profile.document_number),
            skills: profile.skills,
            updated_at,
        }
    }
}

/// Keep what a certificate asks for of oneself; a volunteer's number comes with it
#[utoipa::path(tag = "certificates", request_body = NewProfile, responses((status = 200, body = ProfileView)))]
#[put("/me/volunteer-profile")]
async fn keep(
    state: web::Data<AppState>,
    actor: Actor,
    body: Body<NewProfile>,
) -> Result<web::Json<ProfileView>, Problem> {
    let profile = Profile {
        sex: body.sex,
        birth: body.birth,
        document_type: body.document_type,
        document_number: body.document_number.trim().to_uppercase(),
        skills: body.skills.iter().map(|skill| skill.trim().to_owned()).collect(),
    };
    let kept = transact(&state, async |txn| {
        profile::keep(&state, txn, &actor, &profile).await?;
        profile::of(&state, txn, actor.user_id).await
    });
    Ok(web::Json(kept.await?.ok_or(Code::Internal)?.into()))
}

/// One's own profile
#[utoipa::path(tag = "certificates", responses((status = 200, body = ProfileView)))]
#[get("/me/volunteer-profile")]
async fn mine(state: web::Data<AppState>, actor: Actor) -> Result<web::Json<ProfileView>, Problem> {
    let kept = profile::of(&state, state.db.read(), actor.user_id).await?.ok_or(Code::NotFound)?;
    Ok(web::Json(kept.into()))
}

/// A volunteer's profile in full.
#[derive(Serialize, ToSchema)]
struct FullProfile {
    real_name: String,
    phone: String,
    volunteer_number: String,
    sex: Sex,
    birth: NaiveDate,
    document_type: DocumentType,
    document_number: String,
    skills: Vec<String>,
}

/// A volunteer's profile in full, for staff of the place where they live; each look is audited
#[utoipa::path(tag = "certificates", responses((status = 200, body = FullProfile)))]
#[get("/volunteers/{id}/profile")]
async fn reveal(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<UserId>,
) -> Result<web::Json<FullProfile>, Problem> {
    let (Kept { profile, number, .. }, personal) =
        transact(&state, async |txn| profile::reveal(&state, txn, &actor, *id).await).await?;
    Ok(web::Json(FullProfile {
        real_name: personal.real_name,
        phone: personal.phone,
        volunteer_number: number,
        sex: profile.sex,
        birth: profile.birth,
        document_type: profile.document_type,
        document_number: profile.document_number,
        skills: profile.skills,
    }))
}
