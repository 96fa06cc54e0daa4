//! Puts the demo's data into the database. Every row has an id made of its name, so that a second time changes nothing.

use entities::identity::{Role, grant, residency, user};
use entities::ids::{PlaceId, UserId};
use entities::organisations::{OrganisationState, organisation};
use entities::places::{PlaceKind, household, place};
use entities::projects::{Part, ProjectState, party, project};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelBehavior, ActiveModelTrait, ActiveValue::Set, DatabaseTransaction, EntityTrait, IntoActiveModel,
};
use serde_json::{Value, json};

use super::people::{self, openid};
use crate::identity::ResidencyState;
use crate::platform::crypto::{Purpose, hex};
use crate::platform::http::{Problem, transact};
use crate::platform::ids;
use crate::platform::state::{AppState, SetupError};

/// Path of codes, kind, name. The seed document does not say in which street 同安 and 光华 lie; the demo puts them into 车站.
#[rustfmt::skip]
const PLACES: &[(&str, PlaceKind, &str)] = &[
    ("/jiangan/", PlaceKind::District, "江岸区"),
    ("/jiangan/qiuchang/", PlaceKind::Street, "球场街道"),
    ("/jiangan/qiuchang/anjing/", PlaceKind::Community, "安静社区"),
    ("/jiangan/qiuchang/anjing/wg1/", PlaceKind::Grid, "第一网格"),
    ("/jiangan/qiuchang/anjing/wg1/b1/", PlaceKind::Building, "1栋"),
    ("/jiangan/baibuting/", PlaceKind::Street, "百步亭"),
    ("/jiangan/baibuting/wenhuiyuan/", PlaceKind::Community, "文卉苑社区"),
    ("/jiangan/baibuting/wenhuiyuan/wg1/", PlaceKind::Grid, "第一网格"),
    ("/jiangan/baibuting/wenhuiyuan/wg1/b1/", PlaceKind::Building, "1栋"),
    ("/jiangan/laodong/", PlaceKind::Street, "劳动街道"),
    ("/jiangan/laodong/yiyuan/", PlaceKind::Community, "艺苑社区"),
    ("/jiangan/laodong/yiyuan/wg1/", PlaceKind::Grid, "第一网格"),
    ("/jiangan/laodong/yiyuan/wg1/b1/", PlaceKind::Building, "1栋"),
    ("/jiangan/chezhan/", PlaceKind::Street, "车站街道"),
    ("/jiangan/chezhan/tongan/", PlaceKind::Community, "同安社区"),
    ("/jiangan/chezhan/tongan/wg1/", PlaceKind::Grid, "第一网格"),
    ("/jiangan/chezhan/tongan/wg1/b1/", PlaceKind::Building, "1栋"),
    ("/jiangan/chezhan/guanghua/", PlaceKind::Community, "光华社区"),
    ("/jiangan/chezhan/guanghua/wg1/", PlaceKind::Grid, "第一网格"),
    ("/jiangan/chezhan/guanghua/wg1/b1/", PlaceKind::Building, "1栋"),
    ("/jiangan/chezhan/guanghua/wg1/b2/", PlaceKind::Building, "2栋"),
    ("/jiangan/chezhan/guanghua/wg1/b3/", PlaceKind::Building, "3栋"),
];

/// The seed's organisations: name, how it stands in the register, where it works. The last two are made up: the seed asks for
/// supervision and for evaluation by a third party, and names nobody.
const ORGANISATIONS: &[(&str, OrganisationState, &str)] = &[
    ("武汉晚晴枫养老助残服务中心", OrganisationState::Registered, "/jiangan/qiuchang/anjing/"),
    ("武汉春晖社会工作服务中心", OrganisationState::Registered, "/jiangan/baibuting/wenhuiyuan/"),
    ("随艺手工生活馆", OrganisationState::Incubating, "/jiangan/chezhan/tongan/"),
    ("老戏骨党员服务队", OrganisationState::Guided, "/jiangan/laodong/yiyuan/"),
    ("“红色引擎”车辆自治之家", OrganisationState::Guided, "/jiangan/chezhan/guanghua/"),
    ("江岸区社区服务督导中心", OrganisationState::Registered, "/jiangan/"),
    ("武汉至诚第三方评估事务所", OrganisationState::Registered, "/jiangan/"),
];

struct Project {
    key: &'static str,
    title: &'static str,
    summary: &'static str,
    organisation: usize,
    figures: fn() -> Value,
}

/// The seed's five projects with its figures; it names no single project's budget, so that these are 0.
const PROJECTS: &[Project] = &[
    Project {
        key: "falls",
        title: "老人居家防跌倒",
        summary: "上门评估并改造空巢老人家中的通道、厨房和卫生间，加装扶手，减少跌倒。",
        organisation: 0,
        figures: || json!({ "elders_surveyed": 80, "households_refitted": 500, "since": 2015 }),
    },
    Project {
        key: "jobs",
        title: "启航行动：青年就业助力",
        summary: "为20至28岁的待业青年提供个案辅导、技能小组和生涯规划。",
        organisation: 1,
        figures: || json!({ "found_on_visits": 20, "age_from": 20, "age_to": 28, "served": 9, "cases": 6, "group_trainings": 1 }),
    },
    Project {
        key: "craft",
        title: "随艺手工生活馆",
        summary: "花艺、皮具、烘焙免费培训，帮助就业困难的女性掌握一技之长；每月两次亲子课程。",
        organisation: 2,
        figures: || {
            json!({ "activities": 80, "women_employed": 19, "person_times": 1000, "young_women": 302, "full_time_mothers": 594,
                    "courses_per_month": 2 })
        },
    },
    Project {
        key: "opera",
        title: "惟楚有才 惟楚有戏：楚剧传承",
        summary: "退休演员教居民唱楚剧，把戏曲带进校园和社区，志愿者可兑换小礼品。",
        organisation: 3,
        figures: || json!({ "members": 25, "services": 13, "years": 2, "pupils": 680, "person_times": 1000, "reached": 5000 }),
    },
    Project {
        key: "parking",
        title: "“红色引擎”车辆自治之家",
        summary: "车主和家人组成志愿团队，三班轮值管理停车，收费与补贴自理，积分可换纸巾和洗车券。",
        organisation: 4,
        figures: || json!({ "volunteers": 20, "shifts_a_day": 3 }),
    },
];

/// The id of a demo place by its path.
pub fn place_id(path: &str) -> PlaceId {
    ids::named(&format!("place:{path}"))
}

/// The id of the community in which a demo place lies: the third code of its path.
pub(super) fn community_of(path: &str) -> PlaceId {
    place_id(path.match_indices('/').nth(3).and_then(|(at, _)| path.get(..=at)).unwrap_or_default())
}

/// The id of a demo person.
pub fn user_id(name: &str) -> UserId {
    ids::named(&format!("user:{name}"))
}

/// Puts everything in that is not there yet.
pub async fn seed(state: &AppState) -> Result<(), SetupError> {
    transact(state, async |txn| {
        places(state, txn).await?;
        people(state, txn).await?;
        projects(state, txn).await?;
        super::organisations::seed(state, txn).await?;
        super::delivery::seed(state, txn).await?;
        super::needs::seed(state, txn).await?;
        super::topics::seed(state, txn).await?;
        super::polls::seed(state, txn).await?;
        super::surveys::seed(state, txn).await?;
        super::volunteering::seed(state, txn).await?;
        super::participants::seed(state, txn).await?;
        super::rewards::seed(state, txn).await?;
        Ok(())
    })
    .await?;
    Ok(())
}

/// Inserts a row unless one with its id (or another unique key) is there.
pub(super) async fn put<A>(txn: &DatabaseTransaction, row: A) -> Result<(), Problem>
where
    A: ActiveModelTrait + ActiveModelBehavior + Send,
    <A::Entity as EntityTrait>::Model: IntoActiveModel<A>,
{
    <A::Entity as EntityTrait>::insert(row)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(txn)
        .await?;
    Ok(())
}

async fn places(state: &AppState, txn: &DatabaseTransaction) -> Result<(), Problem> {
    for (path, kind, name) in PLACES {
        let mut codes: Vec<&str> = path.trim_matches('/').split('/').collect();
        let code = codes.pop().unwrap_or_default();
        let parent = (!codes.is_empty()).then(|| place_id(&format!("/{}/", codes.join("/"))));
        // The community is the third code.
        let community = path.match_indices('/').nth(3).and_then(|(at, _)| path.get(..=at)).map(place_id);
        let row = place::ActiveModel {
            id: Set(place_id(path)),
            parent_id: Set(parent),
            kind: Set(*kind),
            code: Set(code.to_owned()),
            name: Set((*name).to_owned()),
            path: Set((*path).to_owned()),
            community_id: Set(community),
            settings: Set(json!({})),
            created_at: Set(state.clock.now()),
        };
        put(txn, row).await?;
    }
    Ok(())
}

async fn people(state: &AppState, txn: &DatabaseTransaction) -> Result<(), Problem> {
    let now = state.clock.now();
    let sealed = |context, text: &str| {
        state
            .keys
            .encrypt(context, text)
            .map_err(|error| Problem::from(crate::platform::code::Code::Internal).caused_by(error))
    };
    for person in people::all() {
        let id = user_id(&person.name);
        let row = user::ActiveModel {
            id: Set(id),
            openid: Set(openid(&person.name)),
            unionid: Set(None),
            nickname: Set(person.real_name.clone()),
            board_opt_out: Set(false),
            last_login_at: Set(now),
            created_at: Set(now),
        };
        put(txn, row).await?;
    }
    for person in people::all() {
        let id = user_id(&person.name);
        if let Some((role, path)) = person.role {
            let row = grant::ActiveModel {
                id: Set(ids::named(&format!("grant:{}", person.name))),
                user_id: Set(id),
                role: Set(role),
                place_id: Set(place_id(path)),
                place_path: Set(path.to_owned()),
                given_by: Set((role != Role::DistrictStaff).then(|| user_id("district"))),
                given_at: Set(now),
                until: Set(None),
                revoked_by: Set(None),
                revoked_at: Set(None),
            };
            put(txn, row).await?;
        }
        let Some(home) = person.home else { continue };
        let door = format!("{home}1/{}", person.room);
        let household_id = ids::named(&format!("household:{door}"));
        let row = household::ActiveModel {
            id: Set(household_id),
            building_id: Set(place_id(home)),
            unit: Set("1".to_owned()),
            room: Set(person.room.clone()),
            created_at: Set(now),
        };
        put(txn, row).await?;
        let row = residency::ActiveModel {
            id: Set(ids::named(&format!("residency:{}", person.name))),
            user_id: Set(id),
            household_id: Set(household_id),
            building_id: Set(place_id(home)),
            community_id: Set(community_of(home)),
            place_path: Set(home.to_owned()),
            state: Set(ResidencyState::Approved),
            real_name_cipher: Set(sealed("residencies.real_name", &person.real_name)?),
            phone_cipher: Set(sealed("residencies.phone", &person.phone)?),
            phone_hash: Set(hex(&state.keys.sign(Purpose::PhoneHash, person.phone.as_bytes()))),
            applied_at: Set(now),
            decided_by: Set(Some(user_id("staff"))),
            decided_at: Set(Some(now)),
            reject_reason: Set(None),
        };
        put(txn, row).await?;
    }
    Ok(())
}

async fn projects(state: &AppState, txn: &DatabaseTransaction) -> Result<(), Problem> {
    let now = state.clock.now();
    for (name, standing, path) in ORGANISATIONS {
        let row = organisation::ActiveModel {
            id: Set(ids::named(&format!("organisation:{name}"))),
            name: Set((*name).to_owned()),
            state: Set(*standing),
            place_id: Set(Some(place_id(path))),
            created_at: Set(now),
            ..Default::default()
        };
        put(txn, row).await?;
    }
    for item in PROJECTS {
        let Some((organisation, _, path)) = ORGANISATIONS.get(item.organisation) else { continue };
        let row = project::ActiveModel {
            id: Set(ids::named(&format!("project:{}", item.key))),
            community_id: Set(place_id(path)),
            place_id: Set(place_id(path)),
            place_path: Set((*path).to_owned()),
            organisation_id: Set(Some(ids::named(&format!("organisation:{organisation}")))),
            title: Set(item.title.to_owned()),
            summary: Set(item.summary.to_owned()),
            budget_fen: Set(0),
            state: Set(ProjectState::Running),
            figures: Set((item.figures)()),
            created_by: Set(None),
            created_at: Set(now),
            programme_id: Set(None),
            designer_id: Set(None),
            version: Set(0),
            moves: Set(0),
            state_since: Set(now),
        };
        put(txn, row).await?;
        let row = party::ActiveModel {
            project_id: Set(ids::named(&format!("project:{}", item.key))),
            part: Set(Part::Implementer),
            organisation_id: Set(ids::named(&format!("organisation:{organisation}"))),
            assigned_by: Set(None),
            assigned_at: Set(now),
        };
        put(txn, row).await?;
    }
    Ok(())
}
