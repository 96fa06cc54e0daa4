//! What the demo shows of polls: one that 光华社区 votes in, on its parking scheme, and one that its staff still draft.

use entities::ids::{PollId, ProjectId};
use entities::polls::{PollKind, PollState, option, poll};
use sea_orm::{ActiveValue::Set, DatabaseTransaction, EntityTrait};

use super::seed::{place_id, put, user_id};
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;
use crate::polls;

const GUANGHUA: &str = "/jiangan/chezhan/guanghua/";

struct Demo {
    key: &'static str,
    title: &'static str,
    kind: PollKind,
    max_choices: i32,
    /// Titles, and keys of the demo's projects.
    options: &'static [(&'static str, Option<&'static str>)],
    open: bool,
}

const POLLS: &[Demo] = &[
    Demo {
        key: "parking",
        title: "停车自治下一步先做什么（最多选两项）",
        kind: PollKind::Approval,
        max_choices: 2,
        options: &[
            ("重新划线，给老楼门前多划车位", Some("parking")),
            ("夜班多排一人，劝导占道停车", Some("parking")),
            ("停车收费账目每月贴上公示栏", None),
            ("积分多换一种礼品：洗车券之外加纸巾", None),
        ],
        open: true,
    },
    Demo {
        key: "charging",
        title: "是否在2栋旁加装电动车充电棚",
        kind: PollKind::YesNo,
        max_choices: 1,
        options: &[("赞成", None), ("反对", None), ("弃权", None)],
        open: false,
    },
];

/// Puts in what is not there yet; see [`super::seed`].
pub(super) async fn seed(state: &AppState, txn: &DatabaseTransaction) -> Result<(), Problem> {
    let now = state.clock.now();
    for demo in POLLS {
        let id: PollId = ids::named(&format!("poll:{}", demo.key));
        let row = poll::ActiveModel {
            id: Set(id),
            community_id: Set(place_id(GUANGHUA)),
            place_id: Set(place_id(GUANGHUA)),
            place_path: Set(GUANGHUA.to_owned()),
            title: Set(demo.title.to_owned()),
            kind: Set(demo.kind),
            max_choices: Set(demo.max_choices),
            secret: Set(false),
            state: Set(PollState::Draft),
            opens_at: Set(None),
            closes_at: Set(None),
            opened_at: Set(None),
            closed_at: Set(None),
            subject_kind: Set(None),
            subject_id: Set(None),
            electorate: Set(None),
            ballots: Set(None),
            result: Set(None),
            created_by: Set(user_id("staff")),
            created_at: Set(now),
        };
        put(txn, row).await?;
        for ((title, project), position) in demo.options.iter().zip(0..) {
            let row = option::ActiveModel {
                id: Set(ids::named(&format!("poll_option:{}:{position}", demo.key))),
                poll_id: Set(id),
                position: Set(position),
                title: Set((*title).to_owned()),
                project_id: Set(project.map(|key| ids::named::<ProjectId>(&format!("project:{key}")))),
            };
            put(txn, row).await?;
        }
        // At the first start only: the roll stays as it was frozen. Nobody is told, so that inboxes start empty.
        let poll = poll::Entity::find_by_id(id).one(txn).await?.ok_or(Code::Internal)?;
        if demo.open && poll.state == PollState::Draft {
            polls::freeze(txn, &poll, now).await?;
        }
    }
    Ok(())
}
