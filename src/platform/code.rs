//! Every way in which Linli refuses, in one table: what stands here is what `docs/ERRORS.md` and `/api/errors` list.

macro_rules! codes {
    ($($name:ident $status:literal $zh:literal $en:literal;)+) => {
        /// Why a request was refused. Its `snake_case` word is the `code` of the problem document.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[allow(missing_docs, reason = "the table says it")]
        pub enum Code { $($name),+ }

        impl Code {
            /// All of them, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The HTTP status that goes with it.
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status),+ }
            }

            /// What residents and clerks read.
            pub const fn zh(self) -> &'static str {
                match self { $(Self::$name => $zh),+ }
            }

            /// The same in English.
            pub const fn en(self) -> &'static str {
                match self { $(Self::$name => $en),+ }
            }

            const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),+ }
            }
        }
    };
}

codes! {
    MalformedRequest       400 "请求格式有误" "The request cannot be read";
    Unauthenticated        401 "请先登录" "Sign in first";
    TokenExpired           401 "登录已过期" "The access token has expired";
    TokenInvalid           401 "登录凭证无效" "The token is not valid";
    RefreshReused          401 "登录凭证已被使用，请重新登录" "The refresh token was used before; the session is revoked";
    SessionExpired         401 "会话已失效，请重新登录" "The session is gone; sign in again";
    WechatCodeInvalid      401 "微信登录码无效或已使用" "The WeChat login code is invalid or was used before";
    Forbidden              403 "没有权限" "Your grants do not cover this";
    NotVerified            403 "请先完成居住认证" "Only verified residents may do this";
    NotResidentHere        403 "您不是本社区的居民" "Only residents of this place may do this";
    NotAnElector           403 "您不在本次表决的名册中" "You are not on this poll's roll";
    NotInAudience          403 "这份问卷没有发给您" "This survey was not pushed to you";
    OwnAct                 403 "不能为自己办理" "Somebody else has to do this for you";
    GrantExceedsOwn        403 "授予的权限超出您自己的权限" "Nobody can give more than they hold";
    HighRiskUser           403 "微信提示账号存在风险" "WeChat marks this account as high risk";
    NotFound               404 "内容不存在" "There is no such thing, or it is not shown to you";
    LeaderboardOff         404 "本社区未开放排行榜" "This community shows no leaderboard";
    ResultHidden           404 "结果在表决结束后公布" "The result is published after closing";
    IdempotencyKeyReused   409 "重复提交的内容不一致" "The same Idempotency-Key came with another request";
    OwnNeed                409 "不能附议自己的需求" "You cannot support your own need";
    NeedNotOpen            409 "该需求当前不能附议" "This need cannot be supported in its present state";
    NeedTaken              409 "该需求当前状态不能进行此操作" "The need is not in a state that allows this";
    TopicResolved          409 "该议题已有决定" "The topic is decided already";
    DeliberationCalledOff  409 "议事已取消" "The deliberation was called off";
    CaseClosed             409 "个案已办结" "The case is closed";
    AlreadyHandler         409 "该社工已负责此个案" "The person handles this case already";
    LastHandler            409 "至少保留一名负责社工" "A case keeps one handler; add another first";
    ResidencyExists        409 "您已有待审核或已通过的居住认证" "You already have a pending or approved residency";
    ObjectionsClosed       409 "异议期已结束，或该公示不接受异议" "The notice takes no objections, or no longer";
    ObjectionOpen          409 "您的异议正在处理，请等待答复" "Your objection to this notice still waits for its reply";
    AlreadyDecided         409 "已经处理过" "This has been decided already";
    GrantExists            409 "该授权已存在" "The person already holds this grant";
    AlreadyReported        409 "您已经举报过" "You have reported this already";
    AlreadyVoted           409 "您已经投过票" "You have voted already";
    PollClosed             409 "表决已结束" "The poll is closed";
    PollNotOpen            409 "表决尚未开始" "The poll is not open yet";
    PollAlreadyOpen        409 "表决已经开始" "The poll was opened already";
    AlreadyInOrganisation  409 "已是该机构的人员" "The person belongs to the organisation already";
    ConflictOfInterest     403 "您与对方有利益关系，须回避" "You are tied to whom this is about and must step aside";
    OrganisationKnown      409 "该名称或统一社会信用代码已登记" "Another organisation has this name or credit code";
    RoomKnown              409 "该平台已有同名空间" "The platform has a room of this name";
    FundKnown              409 "该社区已有同名经费" "The community has a fund of this name";
    PlatformKnown          409 "该名称已被使用" "The name is taken in this place";
    NotInPool              409 "该机构不在有效的运营机构库中" "The organisation is not in a valid pool of operators for this place";
    RoomTaken              409 "该时段空间已被预约" "The room is booked at this time";
    RoundNotOpen           409 "不在报名时间内" "The round takes no applications now";
    RoundNotOver           409 "报名尚未截止" "The round still takes applications";
    AlreadyApplied         409 "您已报名或申请过" "This was applied for already";
    CourseFull             409 "课程名额已满" "The course is full";
    CourseNotOver          409 "课程尚未结束" "The course is not over yet";
    VehicleKnown           409 "该车牌已登记" "The plate is in the fund's register already";
    PeriodPaid             409 "该车辆本月已缴费" "The vehicle has paid this month already";
    ExpenseNotPaid         409 "该支出尚未支付" "The expense was not paid, so that it cannot be taken back";
    ConflictDeclared       409 "已申报过该利益关系" "This interest is declared already";
    SurveyNotDraft         409 "问卷已经发布" "The survey is published already";
    SurveyNotPublished     409 "问卷尚未发布" "The survey is not published";
    AlreadyAnswered        409 "您已经填写过这份问卷" "You have answered this survey already";
    PushLimit              409 "本周发送次数已达上限" "This survey was pushed as often as is allowed in a week";
    AlreadyMember          409 "已在队中，或申请、邀请待处理" "The person is in the team, or a request or invitation waits";
    MembershipState        409 "当前状态不能进行此操作" "The membership is not in a state that allows this";
    TeamLeader             409 "请先移交队长职务" "The leader hands the team on first";
    TeamFirst              409 "该班次暂由所属队伍优先报名" "The shift's team may sign up first; the answer says from when others may";
    RestTooShort           409 "两个班次之间的休息时间不足" "The rest between this shift and another of yours is too short";
    NotQualified           409 "该班次要求已认证的技能" "The shift needs a skill that a team's leader or staff has confirmed for you";
    Suspended              409 "因多次缺席，暂停报名" "Too many no-shows: no sign-ups until the time that the answer names";
    OverlappingShift       409 "与您已报名的班次时间冲突" "This shift overlaps one that you signed up for";
    ShiftStarted           409 "班次已经开始" "The shift has begun: no waiting list, no stepping back";
    ShiftEnded             409 "班次已经结束" "The shift is over";
    ShiftCalledOff         409 "班次已取消" "The shift was called off";
    SeatsTaken             409 "已占名额多于新的名额数" "More seats are taken than the new capacity has; name whose are to be released";
    CancelTooLate          409 "临近开始，不能直接取消，可申请他人顶班" "Too late to step back; ask for a stand-in: POST /signups/{id}/stand-in";
    StandInExists          409 "已经在找人顶班" "A stand-in is asked for already";
    SwapExists             409 "已经提出过换班" "This swap is proposed already";
    RequestEnded           409 "该请求已结束" "The request is over: taken, withdrawn or lapsed";
    AppealWindow           409 "已超过申诉期限，或已经申诉过" "The time for an appeal is over, or it was used";
    SignupState            409 "当前状态不能进行此操作" "The sign-up is not in a state that allows this";
    CheckInWindow          409 "不在签到时间内" "Check-in is open from shortly before a shift until its end";
    CheckInCodeInvalid     422 "签到码无效或已过期" "The check-in code is wrong or has expired";
    OfflineTooLate         409 "离线签到上传太晚，请联系班次负责人" "A check-in without a network must be uploaded within the community's time";
    CorrectionOpen         409 "已有一份更正申请待处理" "A wish for a correction of this record is open already";
    NotEnrolled            409 "您没有这个场次的名额" "You have no place in this session";
    SessionStarted         409 "活动场次已经开始" "The session has begun: no stepping back";
    SessionEnded           409 "活动场次已经结束" "The session is over";
    SessionNotOver         409 "活动场次尚未结束" "The session is not over yet";
    SessionHandedOver      409 "签到名单已转入项目服务记录" "The session's attendance is a project's record; corrections are made there";
    NoServiceMinutes       409 "没有可以证明的服务时长" "There are no confirmed minutes to certify";
    ProfileMissing         409 "请先填写志愿者资料" "The volunteer's profile is needed first";
    CertificateState       409 "证明的当前状态不能进行此操作" "The certificate is not in a state that allows this";
    InsufficientPoints     409 "积分不足" "Not enough points";
    InsufficientFunds      409 "余额不足" "There is not enough money in the fund";
    OutOfStock             409 "已兑完" "Out of stock";
    RewardNotOffered       409 "礼品已下架或不在兑换期内" "The reward is withdrawn, or this is not its time";
    RedemptionLimit        409 "已达到您的兑换次数上限" "You have redeemed this as often as is allowed in the period";
    StockInUse             409 "库存不能少于已兑换的数量" "The stock cannot be less than what is reserved and handed out";
    VoucherKnown           409 "券码已导入过" "A voucher code was imported before";
    VoucherShown           409 "券码已查看，不能取消" "The voucher code was shown; it cannot be given back";
    OutsideOpening         409 "不在领取时间内" "The reward is not handed out at this time";
    PickupCodeExpired      409 "核销码已更新，请重新出示" "The pickup code has rotated; ask for the one shown now";
    AlreadySettled         409 "该核销码已使用" "This pickup code was settled already";
    RedemptionEnded        409 "兑换已取消或已过期" "The redemption was cancelled or has expired";
    PointsBudgetExhausted  409 "本社区的积分预算不足" "The community's gift budget does not cover this award";
    AlreadyReversed        409 "已经撤回过" "This has been taken back already";
    AwardLimit             409 "超出今日可发放的积分" "The day's limit for awards by hand is reached";
    NoSupervisor           409 "尚未指定督导机构" "Nobody supervises the project yet";
    ProjectNotRunning      409 "项目不在实施中" "The project is not being carried out";
    FindingOpen            409 "督导发现的问题尚未整改完毕" "A finding of the supervisor is open";
    FindingState           409 "该问题的当前状态不能进行此操作" "The finding is not in a state that allows this";
    FinalReportMissing     409 "尚未提交结项报告" "The final report is missing";
    FinalReportExists      409 "结项报告已经提交" "The final report is there already";
    MilestonesOpen         409 "还有节点未通过验收" "A milestone is not accepted yet";
    MilestonesUnpaid       409 "还有已验收的节点未付款" "An accepted milestone is not paid yet";
    StatementMissing       409 "督导尚未出具意见" "The supervisor's statement on the evidence is missing";
    ServiceSealed          409 "服务记录已确认，只能更正" "The service record is sealed; it can only be corrected";
    ServiceNotSealed       409 "服务记录尚未确认" "The service record is not confirmed yet";
    NotEligibleToRate      403 "只有服务对象和本地居民可以评议" "Only those who were served, or verified residents of the place, may rate";
    RatingClosed           409 "不在评议时间内" "The time for rating is over, or has not begun";
    RatingOpen             409 "居民评议结果公布后才能评估" "It is evaluated after the residents' rating is published";
    AlreadyRated           409 "您已经评议过" "You have rated this project already";
    EvaluatorInvolved      403 "评估人须与项目各方无关" "An evaluator must have had no other part in the project";
    NotExemplary           409 "只有评估优秀并已结项的项目可以推广" "Only a finished project whose evaluation was excellent can be published as an example";
    ProgrammeFrozen        409 "资助计划已开放，内容不可更改" "An open programme stays as it was published; only its budget rises";
    ProgrammeNotOpen       409 "资助计划未开放" "The programme is not open";
    ProgrammeBusy          409 "资助计划还有未决的项目或未结束的子计划" "Projects of the programme are undecided, or parts of it are open";
    PhaseOver              409 "不在该阶段的时间内" "The programme's phase for this has not begun or is over";
    AboveCap               409 "预算超过单个项目上限" "The budget is above the programme's cap for one project";
    NotAnExpert            409 "评审专家须为社工" "An expert is a social worker at the programme's place";
    NotOnPanel             403 "您不在评审专家名单中" "You are not on the programme's panel";
    AlreadyReviewed        409 "您已评审过这一版" "You have reviewed this version already";
    ReviewsMissing         409 "专家评审份数不足" "Not enough experts have reviewed this version";
    SelectionNotReady      409 "尚不能提出入选名单" "Something is missing for a selection; the answer says what";
    SelectionNotClear      409 "入围、入选公示期未满，或有异议待处理" "People may still object to its shortlisting or selection, or an objection stands";
    SelectionStale         409 "名单已不是最新，请重新提出" "The list is not the latest, or a project has moved on: propose anew";
    ProjectState           409 "项目当前状态不能进行此操作" "The project is not in a state that allows this";
    PartiesNotApart        409 "实施、督导、评估须为三个互无人员交叉的机构" "Implementer, supervisor and evaluator are three organisations that share nobody";
    TenderExists           409 "该项目已有进行中的招标" "The project has a tender that goes on";
    TenderClosed           409 "投标已截止，或招标已结束" "The tender takes nothing more";
    TenderNotClosed        409 "投标尚未截止" "The tender is not closed yet";
    TenderOpened           409 "已经开标" "The bids were opened already";
    TenderNotOpened        409 "尚未开标" "The bids are not opened yet";
    OpeningNotAsked        409 "须先由一名工作人员申请开标" "One person asks for the opening, another confirms it";
    NotEligible            403 "该机构不符合投标条件" "The organisation may not bid in this tender";
    BidsSealed             404 "投标在开标前密封" "The bids are sealed until the opening";
    BidNotValid            409 "该投标无效" "The bid is not valid";
    AlreadyScored          409 "您已为该投标评分" "You have scored this bid already";
    ScoresMissing          409 "评分尚未完成" "Too few have scored yet: two each application, the terms' number each bid";
    AwardExists            409 "已有中选结果" "A bid is awarded or proposed already";
    AwardNotUpheld         409 "没有成立的异议" "No objection to the award was upheld";
    AwardNotClear          409 "公示期未满，或有异议待处理" "People may still object, or an objection stands";
    ValidBids              409 "尚有有效投标" "There are valid bids left";
    ContractState          409 "合同当前状态不能进行此操作" "The contract is not in a state that allows this";
    MilestoneState         409 "节点当前状态不能进行此操作" "The milestone is not in a state that allows this";
    BodyTooLarge           413 "内容过大" "The request is too large";
    UnsupportedMediaType   415 "不支持的内容类型" "The content type is not supported";
    InvalidInput           422 "填写内容有误" "Some input is not valid";
    FileTypeMismatch       422 "文件不是支持的图片、录音或PDF" "The file is no picture, recording or PDF of a supported type";
    FileInUse              409 "文件已被使用" "The file is used already";
    ExportTooLong          422 "行数超出表格上限，请改用CSV或缩小范围" "More rows than an Excel sheet holds; take CSV or a smaller place";
    PhoneCodeInvalid       422 "手机号授权码无效或已使用" "The phone code is invalid or was used before";
    PickupCodeInvalid      404 "核销码不存在" "There is no such pickup code";
    RateLimited            429 "操作过于频繁，请稍后再试" "Too many requests";
    Internal               500 "服务器出错了" "Something went wrong on our side";
    Unavailable            503 "服务暂时不可用，请稍后再试" "Temporarily unavailable";
    WechatUnavailable      503 "微信服务暂时不可用，请稍后再试" "WeChat cannot be reached";
    SessionStoreUnavailable 503 "登录服务暂时不可用，请稍后再试" "The session store cannot be reached";
    RequestTimeout         503 "处理超时，请稍后再试" "The request took too long";
}

impl Code {
    /// The word in the problem document: `OwnNeed` is `own_need`.
    pub fn word(self) -> String {
        let mut word = String::new();
        for letter in self.name().chars() {
            if letter.is_ascii_uppercase() && !word.is_empty() {
                word.push('_');
            }
            word.push(letter.to_ascii_lowercase());
        }
        word
    }
}

/// What the name of a violated constraint or trigger means to the caller. Statements are written so that these are the second
/// guard.
#[rustfmt::skip]
pub const CONSTRAINTS: &[(&str, Code)] = &[
    ("academy_courses_capacity", Code::CourseFull),
    ("academy_enrolments_not_by_oneself", Code::OwnAct),
    ("attendances_not_by_oneself", Code::OwnAct),
    ("award_budgets_daily", Code::AwardLimit),
    ("bid_versions_in_time", Code::TenderClosed),
    ("bids_opened_by_others", Code::ConflictOfInterest),
    ("case_handlers_not_by_oneself", Code::OwnAct),
    ("case_notes_while_open", Code::CaseClosed),
    ("certificates_not_by_oneself", Code::OwnAct),
    ("contract_versions_by_two", Code::OwnAct),
    ("contract_versions_sum", Code::ContractState),
    ("contracts_two_signatories", Code::OwnAct),
    ("correction_requests_not_by_oneself", Code::OwnAct),
    ("correction_requests_one_open", Code::CorrectionOpen),
    ("deliberations_confirmed_for_good", Code::AlreadyDecided),
    ("delivery_files_used_once", Code::FileInUse),
    ("exemplars_excellent", Code::NotExemplary),
    ("exemplars_once", Code::AlreadyDecided),
    ("findings_stay_closed", Code::FindingState),
    ("fund_entries_once", Code::AlreadyDecided),
    ("fund_expenses_by_two", Code::OwnAct),
    ("fund_expenses_kept", Code::AlreadyDecided),
    ("fund_expenses_not_to_oneself", Code::OwnAct),
    ("fund_expenses_reversed_by_another", Code::OwnAct),
    ("fund_receipts_kept", Code::AlreadyReversed),
    ("fund_receipts_reversed_by_another", Code::OwnAct),
    ("funds_two_people", Code::OwnAct),
    ("deliberation_attendances_not_by_oneself", Code::OwnAct),
    ("deliberations_by_two", Code::OwnAct),
    ("grants_one_live", Code::GrantExists),
    ("incubation_requests_not_by_oneself", Code::OwnAct),
    ("incubation_requests_overlap", Code::RoomTaken),
    ("ledger_accounts_available", Code::InsufficientPoints),
    ("ledger_transactions_resolved_once", Code::RedemptionEnded),
    ("ledger_transactions_reversed_once", Code::AlreadyReversed),
    ("milestone_submissions_one_open", Code::MilestoneState),
    ("milestone_submissions_three_people", Code::OwnAct),
    ("milestones_accepted_on_evidence", Code::MilestoneState),
    ("milestones_paid_by_another", Code::OwnAct),
    ("milestones_paid_for_good", Code::MilestoneState),
    ("moderation_items_not_by_oneself", Code::OwnAct),
    ("need_files_used_once", Code::FileInUse),
    ("need_supports_not_own", Code::OwnNeed),
    ("needs_lifecycle", Code::NeedTaken),
    ("needs_recorder_not_author", Code::OwnAct),
    ("no_shows_appeal_by_another", Code::OwnAct),
    ("no_shows_not_by_oneself", Code::OwnAct),
    ("objections_in_time", Code::ObjectionsClosed),
    ("objections_not_by_oneself", Code::OwnAct),
    ("objections_one_open", Code::ObjectionOpen),
    ("operator_admissions_in_time", Code::RoundNotOpen),
    ("operator_admissions_not_by_oneself", Code::OwnAct),
    ("platforms_admitted", Code::NotInPool),
    ("platforms_from_pool", Code::NotInPool),
    ("points_awards_by_two", Code::OwnAct),
    ("points_awards_not_to_oneself", Code::OwnAct),
    ("points_awards_reversed_by_another", Code::OwnAct),
    ("poll_ballots_once", Code::AlreadyVoted),
    ("poll_participations_elector", Code::NotAnElector),
    ("poll_participations_pkey", Code::AlreadyVoted),
    ("project_evaluations_after_rating", Code::RatingOpen),
    ("project_evaluations_independent", Code::EvaluatorInvolved),
    ("project_ratings_in_time", Code::RatingClosed),
    ("project_ratings_once", Code::AlreadyRated),
    ("project_reports_one_final", Code::FinalReportExists),
    ("project_reviews_in_time", Code::PhaseOver),
    ("project_reviews_of_what_is_handed_in", Code::ProjectState),
    ("project_reviews_on_panel", Code::NotOnPanel),
    ("project_service_corrections_absent_once", Code::AlreadyDecided),
    ("project_service_corrections_not_by_oneself", Code::OwnAct),
    ("project_services_not_by_oneself", Code::OwnAct),
    ("project_services_sealed", Code::ServiceSealed),
    ("projects_final_report", Code::FinalReportMissing),
    ("projects_milestones_accepted", Code::MilestonesOpen),
    ("projects_no_open_finding", Code::FindingOpen),
    ("projects_supervised", Code::NoSupervisor),
    ("rectifications_checked_for_good", Code::FindingState),
    ("rectifications_not_by_oneself", Code::OwnAct),
    ("rectifications_one_open", Code::FindingState),
    ("programme_experts_not_by_oneself", Code::OwnAct),
    ("programmes_frozen", Code::ProgrammeFrozen),
    ("project_conflicts_before_review", Code::AlreadyReviewed),
    ("project_designs_cap", Code::AboveCap),
    ("project_designs_in_time", Code::PhaseOver),
    ("project_reviews_no_conflict", Code::ConflictOfInterest),
    ("project_reviews_once", Code::AlreadyReviewed),
    ("project_reviews_panel", Code::NotOnPanel),
    ("project_selections_by_two", Code::OwnAct),
    ("project_parties_apart", Code::PartiesNotApart),
    ("project_parties_no_shared_people", Code::PartiesNotApart),
    ("projects_lifecycle", Code::ProjectState),
    ("residencies_not_by_oneself", Code::OwnAct),
    ("residencies_one_live", Code::ResidencyExists),
    ("reward_counts_limit", Code::RedemptionLimit),
    ("reward_vouchers_once", Code::VoucherKnown),
    ("rewards_available", Code::OutOfStock),
    ("service_corrections_not_by_oneself", Code::OwnAct),
    ("service_corrections_second_person", Code::OwnAct),
    ("service_records_not_by_oneself", Code::OwnAct),
    ("signups_not_by_oneself", Code::OwnAct),
    ("signups_overlap", Code::OverlappingShift),
    ("stand_ins_not_by_oneself", Code::OwnAct),
    ("stand_ins_one_open", Code::StandInExists),
    ("survey_responses_once", Code::AlreadyAnswered),
    ("swaps_one_open", Code::SwapExists),
    ("talent_applications_in_time", Code::RoundNotOpen),
    ("talent_scores_in_time", Code::AlreadyDecided),
    ("talent_scores_not_by_oneself", Code::OwnAct),
    ("team_members_not_by_oneself", Code::OwnAct),
    ("team_members_one_live", Code::AlreadyMember),
    ("team_skills_not_by_oneself", Code::OwnAct),
    ("tender_awards_by_others", Code::ConflictOfInterest),
    ("tender_awards_by_two", Code::OwnAct),
    ("tender_awards_one_live", Code::AwardExists),
    ("tender_scores_not_conflicted", Code::ConflictOfInterest),
    ("tenders_one_live", Code::TenderExists),
    ("tenders_opened_by_two", Code::OwnAct),
    ("topic_comments_in_time", Code::TopicResolved),
    ("topics_decided_for_good", Code::TopicResolved),
];

/// What a database's message means: PostgreSQL names the constraint in it; SQLite does for checks and triggers.
pub fn of_message(message: &str) -> Option<Code> {
    let mut words = message.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    words.find_map(|word| CONSTRAINTS.iter().find(|(name, _)| *name == word).map(|(_, code)| *code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_snake_case_and_distinct() {
        assert_eq!(Code::OwnNeed.word(), "own_need");
        let words: std::collections::HashSet<_> = Code::ALL.iter().map(|code| code.word()).collect();
        assert_eq!(words.len(), Code::ALL.len());
    }

    #[test]
    fn a_constraint_is_recognised_by_its_whole_name() {
        assert_eq!(of_message("CHECK constraint failed: rewards_available"), Some(Code::OutOfStock));
        assert_eq!(of_message("violates check constraint \"rewards_available\""), Some(Code::OutOfStock));
        assert_eq!(of_message("CHECK constraint failed: rewards_available_in_stock"), None);
    }

    #[test]
    fn every_constraint_is_listed_once() {
        let names: std::collections::HashSet<_> = CONSTRAINTS.iter().map(|(name, _)| name).collect();
        assert_eq!(names.len(), CONSTRAINTS.len());
    }
}
