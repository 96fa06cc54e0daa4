use std::collections::HashSet;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use entities::files::{FileState, file};
use entities::ids::{FileId, UserId};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait,
    PaginatorTrait, QueryFilter, QuerySelect,
};
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::domain::{self, Audience};
use super::picture::Picture;
use super::security;
use super::voice::Voice as Recording;
use crate::identity::{Actor, Permission};
use crate::platform::code::Code;
use crate::platform::crypto::{Purpose, hex};
use crate::platform::http::{Problem, lock_person};
use crate::platform::ids;
use crate::platform::jobs;
use crate::platform::state::AppState;

/// Pictures and voices that one person may upload in a day.
const UPLOADS_A_DAY: u64 = 100;

/// The type of documents; what begins like the other two is a picture or a voice.
pub(super) const DOCUMENT: &str = "application/pdf";
pub(super) const PICTURES: &str = "image/";
pub(super) const VOICES: &str = "audio/";
const CONFIDENTIAL: &str = "files.voice";

/// Where a picture's bytes lie.
pub(super) fn blob(id: FileId, thumb: bool) -> String {
    format!("{id}{}", if thumb { "-thumb" } else { "" })
}

/// What was uploaded, as it is kept.
#[derive(Clone, Copy)]
pub(super) enum Upload<'a> {
    Picture(&'a Picture),
    Document(&'a [u8]),
    Voice(&'a Recording, Secrecy),
}

/// Whether WeChat's content security hears a voice, or only the social workers of one case do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrecy {
    /// Like a picture.
    Open,
    /// Encrypted, and sent nowhere.
    Confidential,
}

/// Records an upload whose bytes are stored already, and promises its check.
pub(super) async fn record(
    state: &AppState,
    txn: &DatabaseTransaction,
    owner: UserId,
    id: FileId,
    upload: Upload<'_>,
) -> Result<file::Model, Problem> {
    let now = state.clock.now();
    // The lock makes parallel uploads of one person count one after the other.
    lock_person(txn, owner).await?;
    let today = file::Entity::find()
        .filter(file::Column::OwnerId.eq(owner))
        .filter(file::Column::CreatedAt.gt(now - TimeDelta::days(1)));
    if today.count(txn).await? >= UPLOADS_A_DAY {
        return Err(Problem::new(Code::RateLimited, format!("at most {UPLOADS_A_DAY} pictures a day")));
    }
    let (content_type, bytes, (width, height), standing) = match upload {
        Upload::Picture(picture) => {
            (picture.content_type, picture.full.as_slice(), (picture.width, picture.height), FileState::Pending)
        }
        // WeChat judges pictures only: a document is looked at by the people it is meant for.
        Upload::Document(bytes) => (DOCUMENT, bytes, (0, 0), FileState::Review),
        Upload::Voice(voice, Secrecy::Open) => (voice.content_type, voice.bytes.as_slice(), (0, 0), FileState::Pending),
        Upload::Voice(voice, Secrecy::Confidential) => {
            (voice.content_type, voice.bytes.as_slice(), (0, 0), FileState::Review)
        }
    };
    let (duration_ms, confidential) = match upload {
        Upload::Voice(voice, secrecy) => (Some(voice.duration_ms), secrecy == Secrecy::Confidential),
        Upload::Picture(_) | Upload::Document(_) => (None, false),
    };
    let row = file::ActiveModel {
        id: Set(id),
        owner_id: Set(owner),
        content_type: Set(content_type.to_owned()),
        bytes: Set(i64::try_from(bytes.len()).unwrap_or(i64::MAX)),
        width: Set(i32::try_from(width).unwrap_or(i32::MAX)),
        height: Set(i32::try_from(height).unwrap_or(i32::MAX)),
        sha256: Set(hex(&Sha256::digest(bytes))),
        state: Set(standing),
        trace_id: Set(None),
        place_path: Set(None),
        public: Set(false),
        created_at: Set(now),
        duration_ms: Set(duration_ms),
        confidential: Set(confidential),
    };
    let row = row.insert(txn).await?;
    if row.state == FileState::Pending {
        jobs::enqueue(txn, &state.clock, security::JOB, security::Payload { file_id: id }).await?;
    }
    Ok(row)
}

/// Stores a document that the server has made itself.
pub(crate) async fn store_document(
    state: &AppState,
    txn: &DatabaseTransaction,
    owner: UserId,
    bytes: &[u8],
) -> Result<FileId, Problem> {
    let id: FileId = ids::ordered(&state.clock);
    let stored = state.blobs.put(&blob(id, false), bytes.to_vec()).await;
    stored.map_err(|error| Problem::from(Code::Unavailable).caused_by(error))?;
    record(state, txn, owner, id, Upload::Document(bytes)).await?;
    Ok(id)
}

/// The picture, if a link with this signature is for it, has not ended, and still works.
pub(super) async fn by_link(
    state: &AppState,
    id: FileId,
    thumb: bool,
    end: i64,
    signature: &str,
) -> Result<file::Model, Problem> {
    let signature =
        URL_SAFE_NO_PAD.decode(signature).map_err(|error| Problem::from(Code::NotFound).caused_by(error))?;
    let is_for =
        |audience| state.keys.verify(Purpose::FileLink, &domain::link_message(id.0, thumb, audience, end), &signature);
    let insider = is_for(Audience::Insider);
    if end <= state.clock.now().timestamp() || !(insider || is_for(Audience::Public)) {
        return Err(Code::NotFound.into());
    }
    let row = file::Entity::find_by_id(id).one(state.db.read()).await?;
    row.filter(|row| !row.confidential && (insider || row.public)).ok_or_else(|| Code::NotFound.into())
}

/// The picture, if somebody signed in may see it: its owner, moderators of the place where it is used, everybody once it is
/// shown.
pub(super) async fn by_actor(state: &AppState, id: FileId, actor: &Actor) -> Result<file::Model, Problem> {
    let row = file::Entity::find_by_id(id).one(state.db.read()).await?.ok_or(Code::NotFound)?;
    let moderates = |path: &str| actor.may(Permission::Moderate, path);
    if row.confidential {
        return Err(Code::NotFound.into());
    }
    if row.public || row.owner_id == actor.user_id || row.place_path.as_deref().is_some_and(moderates) {
        Ok(row)
    } else {
        Err(Code::NotFound.into())
    }
}

/// A picture as answers embed it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Links {
    /// The picture's id.
    pub id: FileId,
    /// Good for a quarter to half an hour, without a token.
    pub url: String,
    /// The same, at most 320 pixels wide and high.
    pub thumb_url: String,
}

/// Signed links to a picture.
pub fn link(state: &AppState, id: FileId, audience: Audience) -> Links {
    let end = domain::link_end(state.clock.now());
    Links { id, url: signed(state, id, false, audience, end), thumb_url: signed(state, id, true, audience, end) }
}

pub(super) fn signed(state: &AppState, id: FileId, thumb: bool, audience: Audience, end: i64) -> String {
    let signature = state.keys.sign(Purpose::FileLink, &domain::link_message(id.0, thumb, audience, end));
    let signature = URL_SAFE_NO_PAD.encode(signature.get(..16).unwrap_or_default());
    let size = if thumb { "thumb" } else { "full" };
    format!("{}/api/v1/files/{id}?size={size}&exp={end}&sig={signature}", state.config.public_url)
}

/// Uses a person's own pictures for something at a place. Each is used once: the condition of the statement.
pub async fn attach(
    txn: &DatabaseTransaction,
    owner: UserId,
    ids: &[FileId],
    place_path: &str,
    pointer: &str,
) -> Result<(), Problem> {
    let named = |at: usize, why: &str| Problem::field(&format!("{pointer}/{at}"), why);
    let mut seen = HashSet::new();
    if let Some(at) = ids.iter().position(|id| !seen.insert(*id)) {
        return Err(named(at, "图片重复 / named twice"));
    }
    if ids.is_empty() {
        return Ok(());
    }
    let taken = file::Entity::update_many()
        .col_expr(file::Column::PlacePath, place_path.into())
        .filter(file::Column::Id.is_in(ids.iter().copied()))
        .filter(file::Column::OwnerId.eq(owner))
        .filter(file::Column::PlacePath.is_null())
        .filter(file::Column::ContentType.starts_with(PICTURES))
        .exec(txn)
        .await?
        .rows_affected;
    if usize::try_from(taken) == Ok(ids.len()) {
        return Ok(());
    }
    let own: Vec<FileId> = file::Entity::find()
        .select_only()
        .column(file::Column::Id)
        .filter(file::Column::Id.is_in(ids.iter().copied()))
        .filter(file::Column::OwnerId.eq(owner))
        .filter(file::Column::ContentType.starts_with(PICTURES))
        .into_tuple()
        .all(txn)
        .await?;
    match ids.iter().position(|id| !own.contains(id)) {
        Some(at) => Err(named(at, "没有这张图片 / no such picture of yours")),
        None => Err(Code::FileInUse.into()),
    }
}

/// [`attach`] for one document; gives the SHA-256 of its bytes.
pub async fn attach_document(
    txn: &DatabaseTransaction,
    owner: UserId,
    id: FileId,
    place_path: &str,
    pointer: &str,
) -> Result<String, Problem> {
    let own = file::Entity::find_by_id(id)
        .filter(file::Column::OwnerId.eq(owner))
        .filter(file::Column::ContentType.eq(DOCUMENT))
        .one(txn)
        .await?;
    let row = own.ok_or_else(|| Problem::field(pointer, "没有这份文件 / no such document of yours"))?;
    use_once(txn, id, place_path).await?;
    Ok(row.sha256)
}

/// [`attach`] for one voice, which was uploaded in confidence or not.
pub async fn attach_voice(
    txn: &DatabaseTransaction,
    owner: UserId,
    (id, secrecy): (FileId, Secrecy),
    place_path: &str,
    pointer: &str,
) -> Result<(), Problem> {
    let own = file::Entity::find_by_id(id)
        .filter(file::Column::OwnerId.eq(owner))
        .filter(file::Column::ContentType.starts_with(VOICES))
        .one(txn)
        .await?;
    let row = own.ok_or_else(|| Problem::field(pointer, "没有这段录音 / no such voice of yours"))?;
    if row.confidential != (secrecy == Secrecy::Confidential) {
        let why = "保密诉求的录音须以 confidential=true 上传，其他录音不可 / uploaded with confidential=true if and only if the need is";
        return Err(Problem::field(pointer, why));
    }
    use_once(txn, id, place_path).await
}

/// Uses a file for something at a place, once: the condition of the statement.
async fn use_once(txn: &DatabaseTransaction, id: FileId, place_path: &str) -> Result<(), Problem> {
    let taken = file::Entity::update_many()
        .col_expr(file::Column::PlacePath, place_path.into())
        .filter(file::Column::Id.eq(id))
        .filter(file::Column::PlacePath.is_null())
        .exec(txn)
        .await?;
    if taken.rows_affected == 1 { Ok(()) } else { Err(Code::FileInUse.into()) }
}

/// A voice as answers describe it.
#[derive(Debug)]
pub struct Voice {
    /// The file's id.
    pub id: FileId,
    /// How long it is.
    pub duration_ms: i64,
    /// How it is encoded.
    pub content_type: String,
}

/// How long some voices are, and of which type.
pub async fn voices(
    connection: &impl ConnectionTrait,
    ids: impl IntoIterator<Item = FileId>,
) -> Result<Vec<Voice>, Problem> {
    let ids: Vec<FileId> = ids.into_iter().collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = file::Entity::find().filter(file::Column::Id.is_in(ids)).all(connection).await?;
    let voice = |row: file::Model| {
        row.duration_ms.map(|duration_ms| Voice { id: row.id, duration_ms, content_type: row.content_type })
    };
    Ok(rows.into_iter().filter_map(voice).collect())
}

/// A confidential voice as it is stored.
pub(super) fn sealed(state: &AppState, bytes: &[u8]) -> Result<Vec<u8>, Problem> {
    let sealed = state.keys.encrypt(CONFIDENTIAL, &STANDARD_NO_PAD.encode(bytes));
    sealed.map(String::into_bytes).map_err(|error| Problem::from(Code::Internal).caused_by(error))
}

/// The sound of a confidential voice and its type. Who may hear it is for the caller to decide, and to put into the audit log.
pub async fn confidential_voice(state: &AppState, id: FileId) -> Result<(String, Vec<u8>), Problem> {
    let row = file::Entity::find_by_id(id).filter(file::Column::Confidential.eq(true)).one(state.db.read()).await?;
    let row = row.ok_or(Code::NotFound)?;
    let gone = |why: String| Problem::from(Code::Internal).caused_by(why);
    let stored = state.blobs.get(&blob(id, false)).await.map_err(|error| gone(error.to_string()))?;
    let stored = stored.ok_or_else(|| gone("the voice's bytes are gone".to_owned()))?;
    let stored = std::str::from_utf8(&stored).map_err(|error| gone(error.to_string()))?;
    let text = state.keys.decrypt(CONFIDENTIAL, stored).map_err(|error| gone(error.to_string()))?;
    let sound = STANDARD_NO_PAD.decode(text).map_err(|error| gone(error.to_string()))?;
    Ok((row.content_type, sound))
}

/// Shows pictures and voices to everybody, or no more.
pub async fn show(txn: &DatabaseTransaction, ids: &[FileId], public: bool) -> Result<(), Problem> {
    if !ids.is_empty() {
        file::Entity::update_many()
            .col_expr(file::Column::Public, public.into())
            .filter(file::Column::Id.is_in(ids.iter().copied()))
            .exec(txn)
            .await?;
    }
    Ok(())
}

/// What content security says of pictures so far.
pub async fn states(connection: &impl ConnectionTrait, ids: &[FileId]) -> Result<Vec<FileState>, Problem> {
    let rows = file::Entity::find().select_only().column(file::Column::State);
    Ok(rows.filter(file::Column::Id.is_in(ids.iter().copied())).into_tuple().all(connection).await?)
}

/// Every picture was asked about or has its verdict, or its job is about to ask.
pub(super) async fn verify(state: &AppState) -> Result<Vec<String>, DbErr> {
    let forgotten = file::Entity::find()
        .filter(file::Column::State.eq(FileState::Pending))
        .filter(file::Column::TraceId.is_null())
        .filter(file::Column::CreatedAt.lt(state.clock.now() - TimeDelta::days(1)))
        .limit(100)
        .all(state.db.read())
        .await?;
    Ok(forgotten.into_iter().map(|row| format!("picture {} was never sent to content security", row.id)).collect())
}
