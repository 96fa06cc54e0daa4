use actix_multipart::{Multipart, MultipartError};
use actix_web::http::StatusCode;
use actix_web::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_RANGE, CONTENT_SECURITY_POLICY, ETAG, IF_RANGE, RANGE,
};
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use entities::files::{FileState, file};
use entities::ids::FileId;
use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::picture::{self, Picture, PictureError};
use super::voice::{self, VoiceError};
use super::{domain, service};
use crate::identity::Actor;
use crate::platform::code::Code;
use crate::platform::config::Limits;
use crate::platform::crypto::hex;
use crate::platform::http::command::replay;
use crate::platform::http::input::key_of;
use crate::platform::http::{FieldError, Key, Outcome, Params, Problem, command};
use crate::platform::ids;
use crate::platform::state::AppState;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(upload).service(read);
}

/// So many pictures are unpacked at once: each may take some hundred megabytes while it is.
static UNPACKING: Semaphore = Semaphore::const_new(2);

/// The form of an upload.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the form in the document")]
struct Upload {
    /// JPEG, PNG or WebP; MP3 or AAC (also in an M4A) of at most 60 seconds; or a PDF, where a document is asked for.
    #[schema(format = Binary, content_media_type = "application/octet-stream")]
    file: String,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct UploadParams {
    /// For the voice of a confidential need: it is kept encrypted, WeChat's content security does not hear it, and nobody but the
    /// social workers of the case does.
    #[serde(default)]
    confidential: bool,
}

/// An uploaded picture, voice or document.
#[derive(Serialize, ToSchema)]
struct FileView {
    id: FileId,
    state: FileState,
    content_type: String,
    width: i32,
    height: i32,
    bytes: i64,
    /// Of a voice: its length.
    duration_ms: Option<i64>,
    confidential: bool,
}

impl From<file::Model> for FileView {
    fn from(row: file::Model) -> Self {
        let file::Model { id, state, content_type, width, height, bytes, duration_ms, confidential, .. } = row;
        Self { id, state, content_type, width, height, bytes, duration_ms, confidential }
    }
}

/// Upload a picture, a voice or a PDF document
///
/// The form has one part, `file`. What is stored of a picture is upright, at most 2048 pixels wide and high; of a voice, its sound;
/// neither holds metadata. Others see it when what it belongs to is published. A PDF is kept as it came.
#[utoipa::path(
    tag = "files",
    params(UploadParams),
    request_body(content = Upload, content_type = "multipart/form-data"),
    responses((status = 201, body = FileView))
)]
#[post("/files")]
async fn upload(
    state: web::Data<AppState>,
    actor: Actor,
    request: HttpRequest,
    params: Params<UploadParams>,
    form: Multipart,
) -> Result<Outcome, Problem> {
    let limits = &state.config.limits;
    let (bytes, declared) = read_form(form, limits.file_bytes.max(limits.document_bytes)).await?;
    let digest = Sha256::new().chain_update(b"POST /files\n").chain_update([u8::from(params.confidential)]);
    let key = Key { key: key_of(&request)?, fingerprint: hex(&digest.chain_update(&bytes).finalize()) };
    if let Some(earlier) = replay(&state, actor.user_id, &key).await? {
        return Ok(earlier);
    }
    let kept = keep(&bytes, declared, params.confidential, limits).await?;
    // The bytes first: a row without bytes would be a broken picture, bytes without a row are only waste.
    let id: FileId = ids::ordered(&state.clock);
    let full = match kept.upload(&bytes) {
        service::Upload::Picture(picture) => {
            state.blobs.put(&service::blob(id, true), picture.thumb.clone()).await.map_err(of_store)?;
            picture.full.clone()
        }
        service::Upload::Document(bytes) => bytes.to_vec(),
        service::Upload::Voice(voice, service::Secrecy::Open) => voice.bytes.clone(),
        service::Upload::Voice(voice, service::Secrecy::Confidential) => service::sealed(&state, &voice.bytes)?,
    };
    state.blobs.put(&service::blob(id, false), full).await.map_err(of_store)?;
    let upload = kept.upload(&bytes);
    let outcome = command(&state, actor.user_id, &key, StatusCode::CREATED, async |txn| {
        service::record(&state, txn, actor.user_id, id, upload).await.map(FileView::from)
    })
    .await;
    let wasted = match &outcome {
        Ok(outcome) => outcome.replayed || !outcome.is_success(),
        // After a failure nobody knows whether the commit went through.
        Err(problem) => problem.status().is_client_error(),
    };
    if wasted {
        for thumb in [false, true] {
            state.blobs.delete(&service::blob(id, thumb)).await.map_err(of_store)?;
        }
    }
    outcome
}

/// What of an upload is kept.
enum Kept {
    Picture(Picture),
    Document,
    Voice(voice::Voice, service::Secrecy),
}

impl Kept {
    fn upload<'a>(&'a self, bytes: &'a [u8]) -> service::Upload<'a> {
        match self {
            Self::Picture(picture) => service::Upload::Picture(picture),
            Self::Document => service::Upload::Document(bytes),
            Self::Voice(voice, secrecy) => service::Upload::Voice(voice, *secrecy),
        }
    }
}

/// What a file says of itself in its first bytes decides, not what the client calls it.
async fn keep(
    bytes: &web::Bytes,
    declared: Option<String>,
    confidential: bool,
    limits: &Limits,
) -> Result<Kept, Problem> {
    let document = bytes.starts_with(b"%PDF-");
    if document && !domain::is_honest(declared.as_deref(), service::DOCUMENT) {
        return Err(Problem::new(Code::FileTypeMismatch, "declared as another type than it is"));
    }
    if bytes.len() > if document { limits.document_bytes } else { limits.file_bytes } {
        return Err(Code::BodyTooLarge.into());
    }
    if voice::is_voice(bytes) {
        let secrecy = if confidential { service::Secrecy::Confidential } else { service::Secrecy::Open };
        let voice = voice::prepare(bytes, declared.as_deref()).map_err(|error| match error {
            VoiceError::Length => Problem::field("/file", "录音须为 1 至 60 秒 / from 1 to 60 seconds"),
            error => Problem::new(Code::FileTypeMismatch, error.to_string()).caused_by(error),
        })?;
        return Ok(Kept::Voice(voice, secrecy));
    }
    if confidential {
        return Err(Problem::field("/file", "保密上传只收录音 / only a voice can be confidential"));
    }
    if document {
        return Ok(Kept::Document);
    }
    prepare(bytes.clone(), declared).await.map(Kept::Picture)
}

fn of_store(error: object_store::Error) -> Problem {
    Problem::from(Code::Unavailable).caused_by(error)
}

/// The bytes of the part `file` and the type that the client declared for it.
async fn read_form(mut form: Multipart, limit: usize) -> Result<(web::Bytes, Option<String>), Problem> {
    let wrong = |name: &str, code: &'static str, detail: &str| {
        Problem::invalid(vec![FieldError { pointer: format!("/{name}"), code: code.into(), detail: detail.to_owned() }])
    };
    let mut found = None;
    while let Some(mut part) = form.try_next().await.map_err(of_form)? {
        match part.name() {
            Some("file") if found.is_none() => {}
            Some("file") => return Err(wrong("file", "invalid", "one file an upload")),
            other => return Err(wrong(other.unwrap_or_default(), "unknown", "unknown field")),
        }
        let declared = part.content_type().map(|kind| kind.essence_str().to_owned());
        let bytes = part.bytes(limit).await.map_err(|over| Problem::from(Code::BodyTooLarge).caused_by(over))?;
        found = Some((bytes.map_err(of_form)?, declared));
    }
    found.ok_or_else(|| wrong("file", "missing", "missing field `file`"))
}

fn of_form(error: MultipartError) -> Problem {
    let code = match error {
        MultipartError::ContentTypeMissing
        | MultipartError::ContentTypeParse
        | MultipartError::ContentTypeIncompatible => Code::UnsupportedMediaType,
        _ => Code::MalformedRequest,
    };
    Problem::new(code, "send multipart/form-data with a part `file`").caused_by(error.to_string())
}

async fn prepare(bytes: web::Bytes, declared: Option<String>) -> Result<Picture, Problem> {
    let internal = |error: &dyn std::error::Error| Problem::from(Code::Internal).caused_by(error.to_string());
    let _permit = UNPACKING.acquire().await.map_err(|closed| internal(&closed))?;
    let picture = web::block(move || picture::prepare(&bytes, declared.as_deref()));
    picture.await.map_err(|panicked| internal(&panicked))?.map_err(|error| match error {
        PictureError::TooLarge => Problem::field("/file", "图片像素过多 / at most 40 megapixels and 20,000 a side"),
        error => Problem::new(Code::FileTypeMismatch, error.to_string()).caused_by(error),
    })
}

/// Which of the two stored pictures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Size {
    #[default]
    Full,
    Thumb,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ReadParams {
    #[serde(default)]
    size: Size,
    /// Of a signed link: when it ends.
    exp: Option<i64>,
    /// Of a signed link: its signature. Without it the caller must be signed in.
    sig: Option<String>,
}

/// A picture's or voice's bytes, by a signed link or as somebody who may see it
///
/// One range of bytes can be asked for, as phones do that play a voice.
#[utoipa::path(
    tag = "files",
    params(ReadParams),
    responses(
        (status = 200, description = "The file", content(([u8] = "image/jpeg"), ([u8] = "image/png"), ([u8] = "audio/mpeg"), ([u8] = "audio/aac"))),
        (status = 206, description = "The range of it that was asked for"),
        (status = 416, description = "It has no such bytes")
    ),
    security((), ("bearer" = []))
)]
#[get("/files/{id}")]
async fn read(
    state: web::Data<AppState>,
    actor: Result<Actor, Problem>,
    id: web::Path<FileId>,
    params: Params<ReadParams>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let thumb = params.size == Size::Thumb;
    let row = match &params.sig {
        Some(signature) => service::by_link(&state, *id, thumb, params.exp.unwrap_or_default(), signature).await?,
        None => service::by_actor(&state, *id, &actor?).await?,
    };
    // Only a picture has a small one.
    let thumb = thumb && row.content_type.starts_with(service::PICTURES);
    let bytes = state.blobs.get(&service::blob(row.id, thumb)).await.map_err(of_store)?;
    let bytes = bytes.ok_or_else(|| Problem::from(Code::Internal).caused_by("the picture's bytes are gone"))?;
    let tag = format!("\"{}{}\"", row.sha256, if thumb { "-thumb" } else { "" });
    let mut response = HttpResponse::Ok();
    if row.content_type == service::DOCUMENT {
        // What others wrote is saved, not run in the browser.
        response.insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{}.pdf\"", row.id)));
    }
    response
        .content_type(row.content_type)
        // The bytes of an id never change; only the phone of whoever may see them keeps them.
        .insert_header((CACHE_CONTROL, "private, max-age=86400, immutable"))
        .insert_header((ACCEPT_RANGES, "bytes"))
        .insert_header((CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"))
        .insert_header(("x-content-type-options", "nosniff"));
    let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    // A range of what the phone has in another version would not fit.
    let asked = header(RANGE).filter(|_| header(IF_RANGE).is_none_or(|known| known == tag));
    response.insert_header((ETAG, tag.as_str()));
    let Some(asked) = asked else { return Ok(response.body(bytes)) };
    let length = bytes.len();
    Ok(match domain::range(asked, length) {
        Ok(None) => response.body(bytes),
        Ok(Some((first, last))) => response
            .status(StatusCode::PARTIAL_CONTENT)
            .insert_header((CONTENT_RANGE, format!("bytes {first}-{last}/{length}")))
            .body(bytes.get(first..=last).unwrap_or_default().to_vec()),
        Err(domain::NoSuchBytes) => {
            HttpResponse::RangeNotSatisfiable().insert_header((CONTENT_RANGE, format!("bytes */{length}"))).finish()
        }
    })
}
