//! A need's way, from being said to the rating of what was done: its own events, the steps of the project that took it up, and
//! the notices about that. Tables of later capabilities are read, never written.

use chrono::{DateTime, Utc};
use entities::needs::{event, need};
use entities::notices::notice;
use entities::projects::project_move;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::platform::http::Problem;

/// Rows of each kind that one answer holds.
const ROWS: u64 = 200;

/// One thing that happened.
pub(in crate::needs) struct Step {
    pub at: DateTime<Utc>,
    /// `submitted`, `published`, a word of the need's events, `project.ACTION`, or the kind of a notice.
    pub kind: String,
    /// Chinese.
    pub title: String,
    pub text: Option<String>,
    /// What it leads to: `need`, `topic`, `project`, `notice`.
    pub related: Option<(&'static str, Uuid)>,
}

impl Step {
    fn bare(at: DateTime<Utc>, kind: &str, title: &str) -> Self {
        Self { at, kind: kind.to_owned(), title: title.to_owned(), text: None, related: None }
    }
}

fn of_event(row: event::Model) -> Step {
    use entities::needs::NeedEventKind::{
        Answered, Declined, Disputed, Escalated, GaveBack, InProject, InTopic, LeftProject, LeftTopic, Merged,
        Resolved, TookIn, Unmerged, Withdrawn,
    };
    let (title, leads) = match row.kind {
        Answered => ("社区答复", "need"),
        Declined => ("不予办理", "topic"),
        Withdrawn => ("已撤回", "need"),
        Disputed => ("本人提出异议", "need"),
        Escalated => ("逾期未答复，已报街道", "need"),
        Merged => ("并入另一条需求", "need"),
        Unmerged => ("合并已撤销", "need"),
        TookIn => ("并入了另一条需求", "need"),
        GaveBack => ("一条并入的需求已恢复", "need"),
        InTopic => ("列入议题", "topic"),
        LeftTopic => ("离开议题", "topic"),
        InProject => ("已立项", "project"),
        LeftProject => ("所在项目不再进行，重新公开", "project"),
        Resolved => ("已办结", "project"),
    };
    Step {
        at: row.at,
        kind: row.kind.to_string(),
        title: title.to_owned(),
        text: row.text,
        related: row.related_id.map(|id| (leads, id)),
    }
}

/// The word of a project's step as residents read it.
fn of_action(action: &str) -> &'static str {
    match action {
        "submit" => "项目已申报",
        "return" => "项目退回修改",
        "shortlist" => "项目通过初审",
        "decline" => "项目未入选",
        "withdraw" => "项目撤回",
        "select" => "项目入选资助",
        "tender" => "公开招标",
        "fail_tender" => "招标未成",
        "award" => "中选公示",
        "set_aside" => "中选撤销，重新招标",
        "contract" => "签订协议",
        "start" => "开始实施",
        "complete" => "实施完毕",
        "evaluate" => "第三方评估完成",
        "rectify" => "评估要求整改",
        "resubmit" => "整改完毕",
        "finish" => "项目结项",
        "cancel" => "项目取消",
        "terminate" => "项目终止",
        _ => "项目进展",
    }
}

/// What happened to a need, oldest first.
pub(in crate::needs) async fn of(connection: &impl ConnectionTrait, row: &need::Model) -> Result<Vec<Step>, Problem> {
    let mut steps = vec![Step::bare(row.created_at, "submitted", "已提交")];
    steps.extend(row.published_at.map(|at| Step::bare(at, "published", "已发布")));
    let events = event::Entity::find().filter(event::Column::NeedId.eq(row.id)).order_by_asc(event::Column::Id);
    steps.extend(events.limit(ROWS).all(connection).await?.into_iter().map(of_event));
    if let Some(project) = row.project_id {
        let moves = project_move::Entity::find()
            .filter(project_move::Column::ProjectId.eq(project))
            .order_by_asc(project_move::Column::Seq)
            .limit(ROWS)
            .all(connection)
            .await?;
        steps.extend(moves.into_iter().map(|row| {
            let action = row.action.to_string();
            let mut step = Step::bare(row.at, &format!("project.{action}"), of_action(&action));
            step.related = Some(("project", project.0));
            step
        }));
        let notices = notice::Entity::find()
            .filter(notice::Column::CommunityId.eq(row.community_id))
            .filter(notice::Column::SubjectKind.eq("project"))
            .filter(notice::Column::SubjectId.eq(project.0))
            .order_by_asc(notice::Column::Id)
            .limit(ROWS)
            .all(connection)
            .await?;
        steps.extend(notices.into_iter().map(|row| Step {
            at: row.published_at,
            kind: row.kind,
            title: row.title,
            text: None,
            related: Some(("notice", row.id.0)),
        }));
    }
    // Stable: what happened at one moment stays in its order.
    steps.sort_by_key(|step| step.at);
    Ok(steps)
}
