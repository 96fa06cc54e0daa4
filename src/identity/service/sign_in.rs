use entities::identity::user;
use entities::ids::UserId;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};

use crate::identity::session;
use crate::platform::code::Code;
use crate::platform::http::{Caller, Problem, transact};
use crate::platform::ids;
use crate::platform::state::AppState;
use crate::platform::wechat::WeChatError;

/// What a sign-in or a refresh gives.
pub(in crate::identity) struct SignedIn {
    pub caller: Caller,
    pub access_token: String,
    pub refresh_token: String,
}

/// Signs in with a `wx.login` code. Somebody unknown becomes a user.
pub(in crate::identity) async fn sign_in(state: &AppState, code: &str) -> Result<SignedIn, Problem> {
    let wechat = state.wechat.code_to_session(code).await.map_err(|error| of_wechat(error, Code::WechatCodeInvalid))?;
    let person = transact(state, async |txn| {
        let now = state.clock.now();
        let id: UserId = ids::ordered(&state.clock);
        let row = user::ActiveModel {
            id: Set(id),
            openid: Set(wechat.openid.clone()),
            unionid: Set(wechat.unionid.clone()),
            nickname: Set("微信用户".to_owned()),
            board_opt_out: Set(false),
            last_login_at: Set(now),
            created_at: Set(now),
        };
        let known = OnConflict::column(user::Column::Openid).update_column(user::Column::LastLoginAt).to_owned();
        user::Entity::insert(row).on_conflict(known).exec_without_returning(txn).await?;
        user::Entity::find()
            .filter(user::Column::Openid.eq(&wechat.openid))
            .one(txn)
            .await?
            .ok_or(Code::Internal.into())
    })
    .await?;
    let (family, refresh_token) = session::start(state, person.id).await?;
    signed_in(state, Caller { user_id: person.id, family }, refresh_token)
}

/// Spends a refresh token.
pub(in crate::identity) async fn refresh(state: &AppState, presented: &str) -> Result<SignedIn, Problem> {
    let (user_id, family, next) = session::refresh(state, presented).await?;
    signed_in(state, Caller { user_id, family }, next)
}

fn signed_in(state: &AppState, caller: Caller, refresh_token: String) -> Result<SignedIn, Problem> {
    Ok(SignedIn { access_token: caller.token(state)?, caller, refresh_token })
}

/// A code that WeChat refuses is the caller's mistake; a WeChat that does not answer is nobody's.
fn of_wechat(error: WeChatError, invalid: Code) -> Problem {
    let code = match &error {
        WeChatError::InvalidCode => invalid,
        WeChatError::HighRiskUser => Code::HighRiskUser,
        _ => Code::WechatUnavailable,
    };
    Problem::from(code).caused_by(error)
}

/// The number behind a phone code.
pub(in crate::identity) async fn phone_number(state: &AppState, code: &str) -> Result<String, Problem> {
    let phone = state.wechat.phone_number(code).await.map_err(|error| of_wechat(error, Code::PhoneCodeInvalid))?;
    Ok(phone.pure_number)
}
