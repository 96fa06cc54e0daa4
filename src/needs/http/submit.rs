use actix_web::http::StatusCode;
use actix_web::{get, post, web};
use chrono::{DateTime, Utc};
use entities::ids::{FileId, PlaceId, UserId};
use entities::needs::{ConsentHow, NeedCategory, NeedChannel, Urgency};
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use crate::cases;
use crate::identity::Actor;
use crate::needs::domain::services::{CATEGORIES, GROUPS, SERVICES};
use crate::needs::service::submitting::{self, Behalf, NewNeed, Subject};
use crate::platform::http::{Caller, Command, Outcome, Problem, command, text};
use crate::platform::state::AppState;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(submit).service(categories);
}

/// For whom somebody records a need: a verified resident of the community by id, or somebody by name.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct BehalfInput {
    /// Sees the need as theirs and can dispute it.
    #[garde(skip)]
    user_id: Option<UserId>,
    /// Of somebody without an account.
    #[garde(custom(text::optional_line(30)))]
    name: Option<String>,
    /// How to reach them; kept encrypted.
    #[garde(custom(text::optional_line(60)))]
    contact: Option<String>,
    /// How they agreed.
    #[garde(skip)]
    consent: ConsentHow,
    #[garde(skip)]
    consent_at: DateTime<Utc>,
}

impl BehalfInput {
    fn behalf(&self) -> Result<Behalf<'_>, Problem> {
        let subject = match (self.user_id, &self.name) {
            (Some(person), None) => Subject::Resident(person),
            (None, Some(name)) => {
                Subject::Person { name: name.trim(), contact: self.contact.as_deref().map(str::trim) }
            }
            _ => {
                let why = "填写 user_id 或 name 其中之一 / either user_id or name";
                return Err(Problem::field("/on_behalf_of", why));
            }
        };
        Ok(Behalf { subject, how: self.consent, at: self.consent_at })
    }
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewNeedInput {
    /// A community, or a place in one.
    #[garde(skip)]
    place_id: PlaceId,
    #[garde(skip)]
    category: NeedCategory,
    /// One of the category's, from `GET /needs/categories`.
    #[garde(custom(text::optional_line(40)))]
    service: Option<String>,
    #[garde(custom(text::line(60)))]
    title: String,
    /// May be left out where there is a voice.
    #[garde(custom(text::optional_paragraph(2000)))]
    body: Option<String>,
    /// One's own uploads, each used once.
    #[garde(length(max = 9))]
    #[serde(default)]
    file_ids: Vec<FileId>,
    /// What one says instead of writing it, or besides: one's own upload. For a confidential need it is uploaded with
    /// `confidential=true`.
    #[garde(skip)]
    voice_id: Option<FileId>,
    /// Others do not learn who wrote it.
    #[garde(skip)]
    #[serde(default)]
    anonymous: bool,
    /// Only for the social workers in charge: it opens a case file and becomes no need. Without pictures, which WeChat would
    /// look at.
    #[garde(skip)]
    #[serde(default)]
    confidential: bool,
    /// `mini_program` without it; another one where it is recorded for somebody.
    #[garde(skip)]
    channel: Option<NeedChannel>,
    #[garde(skip)]
    urgency: Option<Urgency>,
    /// For whom, from `GET /needs/categories`.
    #[garde(length(max = 5), inner(custom(text::line(40))))]
    #[serde(default)]
    beneficiary_groups: Vec<String>,
    /// About how many people.
    #[garde(inner(range(min = 1, max = 1_000_000)))]
    beneficiary_count: Option<i64>,
    /// Recorded for somebody else, by a building leader, a social worker or staff of the place.
    #[garde(dive)]
    on_behalf_of: Option<BehalfInput>,
}

/// What became of what was submitted.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum SubmittedState {
    /// A need that waits for content security.
    InReview,
    /// A case file; a social worker will call.
    Received,
}

/// A need that was taken, or a case.
#[derive(Serialize, ToSchema)]
struct Submitted {
    /// A need's id; that of a case is good for `GET /me/cases` only.
    id: Uuid,
    state: SubmittedState,
    /// Chinese, for whoever reported in confidence.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'static str>,
}

/// Say what the neighbourhood needs
///
/// Others see it once content security has passed or a moderator has approved it.
#[utoipa::path(tag = "needs", request_body = NewNeedInput, responses((status = 201, body = Submitted)))]
#[post("/needs")]
async fn submit(state: web::Data<AppState>, actor: Actor, request: Command<NewNeedInput>) -> Result<Outcome, Problem> {
    let new = &request.input;
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        let input = NewNeed {
            place_id: new.place_id,
            category: new.category,
            service: new.service.as_deref(),
            title: new.title.trim(),
            body: new.body.as_deref().unwrap_or_default().trim(),
            file_ids: &new.file_ids,
            voice: new.voice_id,
            anonymous: new.anonymous,
            channel: new.channel.unwrap_or(NeedChannel::MiniProgram),
            urgency: new.urgency.unwrap_or(Urgency::Normal),
            groups: &new.beneficiary_groups,
            count: new.beneficiary_count,
            behalf: new.on_behalf_of.as_ref().map(BehalfInput::behalf).transpose()?,
        };
        if new.confidential {
            let id = submitting::confide(&state, txn, &actor, &input).await?.0;
            return Ok(Submitted { id, state: SubmittedState::Received, message: Some(cases::RECEIVED) });
        }
        let row = submitting::submit(&state, txn, &actor, input).await?;
        Ok(Submitted { id: row.id.0, state: SubmittedState::InReview, message: None })
    })
    .await
}

/// A word of the API with what residents read.
#[derive(Serialize, ToSchema)]
struct Titled {
    word: &'static str,
    zh: &'static str,
}

/// A service of a category.
#[derive(Serialize, ToSchema)]
struct ServiceView {
    word: &'static str,
    zh: &'static str,
    en: &'static str,
    /// Clients offer to report in confidence.
    delicate: bool,
}

/// One of the four categories.
#[derive(Serialize, ToSchema)]
struct CategoryView {
    category: NeedCategory,
    zh: &'static str,
    en: &'static str,
    services: Vec<ServiceView>,
}

/// What a need can be of, and for whom.
#[derive(Serialize, ToSchema)]
struct Catalogue {
    categories: Vec<CategoryView>,
    beneficiary_groups: Vec<Titled>,
}

/// The four categories with their services, and groups of people
#[utoipa::path(tag = "needs", responses((status = 200, body = Catalogue)))]
#[get("/needs/categories")]
async fn categories(_: Caller) -> web::Json<Catalogue> {
    let categories = CATEGORIES.iter().map(|(category, zh, en)| CategoryView {
        category: *category,
        zh,
        en,
        services: SERVICES
            .iter()
            .filter(|service| service.category == *category)
            .map(|service| ServiceView {
                word: service.word,
                zh: service.zh,
                en: service.en,
                delicate: service.delicate,
            })
            .collect(),
    });
    let beneficiary_groups = GROUPS.iter().map(|(word, zh)| Titled { word, zh }).collect();
    web::Json(Catalogue { categories: categories.collect(), beneficiary_groups })
}
