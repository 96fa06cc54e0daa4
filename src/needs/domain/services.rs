//! The four categories with their services, as the district's programme lays them down.

use entities::needs::NeedCategory;

/// One service of a category.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Service {
    /// Of which category.
    pub category: NeedCategory,
    /// The word in the API and the database.
    pub word: &'static str,
    /// What residents read.
    pub zh: &'static str,
    /// The same in English.
    pub en: &'static str,
    /// Whether clients should offer to report in confidence.
    pub delicate: bool,
}

use NeedCategory::{Charity, Convenience, CultureEducation, Rights};

const fn service(category: NeedCategory, word: &'static str, zh: &'static str, en: &'static str) -> Service {
    Service { category, word, zh, en, delicate: false }
}

const fn delicate(category: NeedCategory, word: &'static str, zh: &'static str, en: &'static str) -> Service {
    Service { category, word, zh, en, delicate: true }
}

/// All services.
pub const SERVICES: &[Service] = &[
    service(Charity, "guidance", "即时辅导", "Guidance at once"),
    delicate(Charity, "relief", "临时救助", "Temporary relief"),
    delicate(Charity, "shelter", "安全庇护", "Shelter"),
    delicate(Charity, "targeted_help", "精准帮扶", "Help for one household"),
    service(Charity, "charity_aid", "慈善救助", "Charitable aid"),
    service(CultureEducation, "tradition", "传统文化", "Traditional culture"),
    service(CultureEducation, "life_skills", "生活技能", "Skills for life"),
    service(CultureEducation, "science_environment", "科技环保", "Science and environment"),
    service(CultureEducation, "health_knowledge", "健康保养", "Keeping healthy"),
    service(CultureEducation, "family_harmony", "家庭和睦", "Harmony at home"),
    service(CultureEducation, "neighbourhood_harmony", "邻里和谐", "Harmony among neighbours"),
    service(Rights, "environment", "环境维护", "Keeping the surroundings in order"),
    service(Rights, "disaster_prevention", "防灾减灾", "Disaster prevention"),
    service(Rights, "disputes", "邻里纠纷", "Disputes among neighbours"),
    delicate(Rights, "domestic_violence", "家庭暴力", "Domestic violence"),
    delicate(Rights, "children_inclusion", "孤残儿童融合", "Inclusion of orphans and disabled children"),
    delicate(Rights, "correction_inclusion", "社区矫正融合", "Inclusion of people under community correction"),
    delicate(Rights, "disability_inclusion", "身心障碍融合", "Inclusion of people with disabilities"),
    delicate(Rights, "crisis", "危机干预", "Help in a crisis"),
    service(Convenience, "rehabilitation", "残疾人康复", "Rehabilitation"),
    service(Convenience, "elderly_canteen", "养老食堂", "Canteen for the elderly"),
    service(Convenience, "housekeeping", "家政服务", "Housekeeping"),
    service(Convenience, "health_care", "健康管理", "Health care"),
    service(Convenience, "employment", "促进就业", "Finding work"),
    service(Convenience, "study_support", "帮学助学", "Help with studies"),
    service(Convenience, "parenting", "亲子教育", "Parents and children"),
    service(Convenience, "nursery", "幼儿托管", "Nursery"),
    service(Convenience, "after_school", "“四点半”学校", "After-school care"),
    service(Convenience, "surroundings", "其他便民", "Other convenience"),
];

/// The categories in their order, with what residents read.
pub const CATEGORIES: &[(NeedCategory, &str, &str)] = &[
    (Charity, "公益慈善", "Charity"),
    (CultureEducation, "文化教育", "Culture and education"),
    (Rights, "权益维护", "Rights"),
    (Convenience, "便民生活", "Convenience"),
];

/// What residents read of a category.
pub fn title(category: NeedCategory) -> &'static str {
    CATEGORIES.iter().find(|(known, ..)| *known == category).map_or("", |(_, zh, _)| zh)
}

/// A service by its word, if it belongs to the category.
pub fn find(category: NeedCategory, word: &str) -> Option<&'static Service> {
    SERVICES.iter().find(|service| service.category == category && service.word == word)
}

/// For whom something is needed: the word, and what residents read.
pub const GROUPS: &[(&str, &str)] = &[
    ("elders", "老年人"),
    ("children", "儿童"),
    ("young_people", "青少年"),
    ("women", "妇女"),
    ("disabled", "残疾人"),
    ("low_income", "低保及困难居民"),
    ("bereaved", "失独家庭"),
    ("seriously_ill", "大病居民"),
    ("job_seekers", "待业居民"),
    ("newcomers", "流动人口"),
    ("everybody", "全体居民"),
];

/// Whether a group is known.
pub fn is_group(word: &str) -> bool {
    GROUPS.iter().any(|(known, _)| *known == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_category_has_services_and_each_word_stands_once() {
        let words: std::collections::HashSet<_> = SERVICES.iter().map(|service| service.word).collect();
        assert_eq!(words.len(), SERVICES.len());
        for category in [Charity, CultureEducation, Rights, Convenience] {
            assert!(SERVICES.iter().any(|service| service.category == category));
            assert!(!title(category).is_empty());
        }
        assert!(find(NeedCategory::Rights, "crisis").is_some_and(|service| service.delicate));
        assert!(find(NeedCategory::Charity, "crisis").is_none());
    }
}
