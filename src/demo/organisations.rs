//! What the demo shows of organisations: who belongs to whom, the platforms with the seed's figures, the operators' pool, a
//! course, a room, and service sites (their addresses, hours and fees are made up).

use chrono::{DateTime, TimeDelta, Utc};
use entities::ids::{OperatorAdmissionId, OperatorRoundId, OrganisationId, PlatformId};
use entities::organisations::ServiceField::{self, Charity, Convenience, CultureEducation};
use entities::organisations::{
    AdmissionState, OrganisationState, PersonRole, PlatformLevel, ReportedFigure, course, field, operator_admission,
    operator_round, organisation, person, platform, platform_report, room, standing,
};
use sea_orm::{ActiveValue::Set, DatabaseTransaction, EntityTrait};

use super::seed::{place_id, put, user_id};
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;

/// Organisation, person, duty. Social workers 1 to 3 belong to nobody, so that they can judge everybody.
const HEADS: &[(&str, &str, &str)] = &[
    ("武汉晚晴枫养老助残服务中心", "org-a", "负责人"),
    ("武汉春晖社会工作服务中心", "org-b", "负责人"),
    ("江岸区社区服务督导中心", "supervisor", "督导主任"),
    ("武汉至诚第三方评估事务所", "evaluator", "评估负责人"),
];

/// What the register says of one of the seed's organisations.
struct Entry {
    name: &'static str,
    /// Made up: `DEM` stands in no real one.
    code: Option<&'static str>,
    standing: OrganisationState,
    /// Which of the platforms raises it.
    incubator: Option<usize>,
    fields: &'static [ServiceField],
}

const REGISTER: &[Entry] = &[
    Entry {
        name: "武汉晚晴枫养老助残服务中心",
        code: Some("52420102DEM000001F"),
        standing: OrganisationState::Registered,
        incubator: None,
        fields: &[Charity, Convenience],
    },
    Entry {
        name: "武汉春晖社会工作服务中心",
        code: Some("52420102DEM000002J"),
        standing: OrganisationState::Registered,
        incubator: None,
        fields: &[Charity, Convenience],
    },
    Entry {
        name: "随艺手工生活馆",
        code: None,
        standing: OrganisationState::Incubating,
        incubator: Some(0),
        fields: &[CultureEducation, Convenience],
    },
    Entry {
        name: "老戏骨党员服务队",
        code: None,
        standing: OrganisationState::Guided,
        incubator: Some(2),
        fields: &[CultureEducation],
    },
    Entry {
        name: "“红色引擎”车辆自治之家",
        code: None,
        standing: OrganisationState::Guided,
        incubator: Some(1),
        fields: &[Convenience],
    },
    Entry {
        name: "江岸区社区服务督导中心",
        code: Some("52420102DEM000003M"),
        standing: OrganisationState::Registered,
        incubator: None,
        fields: &[],
    },
    Entry {
        name: "武汉至诚第三方评估事务所",
        code: Some("52420102DEM000004Q"),
        standing: OrganisationState::Registered,
        incubator: None,
        fields: &[],
    },
];

const SOURCE: &str = "长江日报 2017-09-01";

/// A platform; the seed gives the money of the centres and the offices for all together only.
struct Platform {
    place: &'static str,
    name: &'static str,
    runs: &'static str,
    area_m2: Option<i64>,
    invested_fen: Option<i64>,
}

const PLATFORMS: &[Platform] = &[
    Platform {
        place: "/jiangan/",
        name: "江岸区社会组织孵化基地",
        runs: "注册协助、专业辅导、能力建设、公益空间，社会组织公益学院。",
        area_m2: Some(1000),
        invested_fen: Some(300_000_000),
    },
    Platform {
        place: "/jiangan/chezhan/",
        name: "车站街道社会组织服务中心",
        runs: "平台、管理、培育三位一体，指导社区社会组织。",
        area_m2: None,
        invested_fen: None,
    },
    Platform {
        place: "/jiangan/laodong/",
        name: "劳动街道社会组织服务中心",
        runs: "平台、管理、培育三位一体，指导社区社会组织。",
        area_m2: None,
        invested_fen: None,
    },
    Platform {
        place: "/jiangan/baibuting/",
        name: "百步亭社会组织服务中心",
        runs: "街道社会组织的管理与服务。",
        area_m2: None,
        invested_fen: None,
    },
    Platform {
        place: "/jiangan/chezhan/guanghua/",
        name: "光华社区社会工作室",
        runs: "社工服务、需求走访、志愿团队支持。",
        area_m2: None,
        invested_fen: None,
    },
];

/// As published: level, of what, figure, amount, whether it was "over".
const REPORTS: &[(PlatformLevel, &str, ReportedFigure, i64, bool)] = &[
    (PlatformLevel::District, "区社会组织孵化基地", ReportedFigure::InvestedFen, 300_000_000, true),
    (PlatformLevel::District, "区社会组织孵化基地", ReportedFigure::AreaM2, 1000, false),
    (PlatformLevel::District, "区社会组织孵化基地", ReportedFigure::Incubated, 62, false),
    (PlatformLevel::Street, "车站、劳动两个街道中心", ReportedFigure::InvestedFen, 100_000_000, true),
    (PlatformLevel::Street, "街道社会组织服务中心", ReportedFigure::Guided, 31, false),
    (PlatformLevel::Street, "所有街道（百步亭）中心", ReportedFigure::InvestedFen, 425_000_000, false),
    (PlatformLevel::Community, "全部社区社会工作室", ReportedFigure::InvestedFen, 28_200_000, false),
];

/// The id of a demo organisation by its name.
pub fn organisation_id(name: &str) -> OrganisationId {
    ids::named(&format!("organisation:{name}"))
}

/// Puts in what is not there yet; see [`super::seed`].
pub(super) async fn seed(state: &AppState, txn: &DatabaseTransaction) -> Result<(), Problem> {
    for (organisation, name, duty) in HEADS {
        let id = ids::named(&format!("organisation-person:{organisation}:{name}"));
        // Who has left since stays away after a restart.
        if person::Entity::find_by_id(id).one(txn).await?.is_some() {
            continue;
        }
        let row = person::ActiveModel {
            id: Set(id),
            organisation_id: Set(organisation_id(organisation)),
            user_id: Set(user_id(name)),
            role: Set(PersonRole::Head),
            duty: Set((*duty).to_owned()),
            since: Set(state.clock.now()),
            added_by: Set(Some(user_id("district"))),
            ended_at: Set(None),
            ended_by: Set(None),
        };
        put(txn, row).await?;
    }
    platforms(state, txn).await?;
    register(state, txn).await?;
    pool(state, txn).await?;
    super::sites::seed(state, txn).await
}

fn platform_id(at: usize) -> PlatformId {
    ids::named(&format!("platform:{at}"))
}

async fn platforms(state: &AppState, txn: &DatabaseTransaction) -> Result<(), Problem> {
    let now = state.clock.now();
    for (at, item) in PLATFORMS.iter().enumerate() {
        let Platform { place: path, name, runs, area_m2, invested_fen } = item;
        let level = match path.matches('/').count() {
            2 => PlatformLevel::District,
            3 => PlatformLevel::Street,
            _ => PlatformLevel::Community,
        };
        let row = platform::ActiveModel {
            id: Set(platform_id(at)),
            level: Set(level),
            place_id: Set(place_id(path)),
            place_path: Set((*path).to_owned()),
            name: Set((*name).to_owned()),
            runs: Set((*runs).to_owned()),
            area_m2: Set(*area_m2),
            invested_fen: Set(*invested_fen),
            opened_year: Set(None),
            operator_id: Set(None),
            operator_admission_id: Set(None),
            created_by: Set(Some(user_id("district"))),
            created_at: Set(now),
        };
        put(txn, row).await?;
    }
    for (at, (level, subject, figure, amount, at_least)) in REPORTS.iter().enumerate() {
        let row = platform_report::ActiveModel {
            id: Set(ids::named(&format!("platform-report:{at}"))),
            level: Set(*level),
            place_id: Set(place_id("/jiangan/")),
            place_path: Set("/jiangan/".to_owned()),
            subject: Set((*subject).to_owned()),
            figure: Set(*figure),
            amount: Set(*amount),
            at_least: Set(*at_least),
            source: Set(SOURCE.to_owned()),
            recorded_by: Set(Some(user_id("district"))),
            recorded_at: Set(now),
        };
        put(txn, row).await?;
    }
    let row = room::ActiveModel {
        id: Set(ids::named("platform-room:0")),
        platform_id: Set(platform_id(0)),
        name: Set("公益空间一号厅".to_owned()),
        seats: Set(40),
        created_at: Set(now),
    };
    put(txn, row).await?;
    let starts_at = now + TimeDelta::days(14);
    let row = course::ActiveModel {
        id: Set(ids::named("course:project-design")),
        platform_id: Set(platform_id(0)),
        title: Set("公益学院：从居民需求到公益项目".to_owned()),
        description: Set("怎样走访、怎样写需求评估、怎样做预算。".to_owned()),
        starts_at: Set(starts_at),
        ends_at: Set(starts_at + TimeDelta::hours(3)),
        capacity: Set(30),
        taken: Set(0),
        created_by: Set(Some(user_id("district"))),
        created_at: Set(now),
    };
    put(txn, row).await
}

/// Codes and bases, for those that have no history yet besides their entry.
async fn register(state: &AppState, txn: &DatabaseTransaction) -> Result<(), Problem> {
    for Entry { name, code, standing, incubator, fields } in REGISTER {
        let id = organisation_id(name);
        let entry = ids::named(&format!("standing:{name}"));
        // What staff have changed since stays so after a restart.
        if standing::Entity::find_by_id(entry).one(txn).await?.is_some() {
            continue;
        }
        let incubator_id = incubator.map(platform_id);
        let row = organisation::ActiveModel {
            id: Set(id),
            credit_code: Set(code.map(str::to_owned)),
            incubator_id: Set(incubator_id),
            ..Default::default()
        };
        organisation::Entity::update(row).exec(txn).await?;
        for field in *fields {
            put(txn, field::ActiveModel { organisation_id: Set(id), field: Set(*field) }).await?;
        }
        let row = standing::ActiveModel {
            id: Set(entry),
            organisation_id: Set(id),
            state: Set(*standing),
            incubator_id: Set(incubator_id),
            reason: Set("登记".to_owned()),
            decided_by: Set(Some(user_id("district"))),
            at: Set(state.clock.now()),
        };
        put(txn, row).await?;
    }
    Ok(())
}

/// 春晖 is in the district's pool for three years.
async fn pool(state: &AppState, txn: &DatabaseTransaction) -> Result<(), Problem> {
    let now = state.clock.now();
    let round: OperatorRoundId = ids::named("operator-round:0");
    let day = |days: i64| -> DateTime<Utc> { now + TimeDelta::days(days) };
    let row = operator_round::ActiveModel {
        id: Set(round),
        place_id: Set(place_id("/jiangan/")),
        place_path: Set("/jiangan/".to_owned()),
        title: Set("街道社会组织服务中心运营机构库".to_owned()),
        criteria: Set("有社会工作专业团队，有运营社区平台的经验，近三年无违规记录。".to_owned()),
        opens_at: Set(day(-60)),
        closes_at: Set(day(-30)),
        valid_from: Set(day(-20)),
        valid_until: Set(day(3 * 365)),
        created_by: Set(Some(user_id("district"))),
        created_at: Set(day(-61)),
    };
    put(txn, row).await?;
    let admission: OperatorAdmissionId = ids::named("operator-admission:0");
    let row = operator_admission::ActiveModel {
        id: Set(admission),
        round_id: Set(round),
        organisation_id: Set(organisation_id("武汉春晖社会工作服务中心")),
        state: Set(AdmissionState::Admitted),
        applied_by: Set(Some(user_id("org-b"))),
        applied_at: Set(day(-40)),
        decided_by: Set(Some(user_id("district"))),
        decided_at: Set(Some(day(-25))),
        reason: Set(Some("符合条件".to_owned())),
    };
    put(txn, row).await
}
