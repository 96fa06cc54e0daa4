//! A certificate on A4 sheets.
//!
//! The same content gives the same bytes: nothing is asked but the content, and the time in the file is the day of issue.

use chrono::Datelike;

use super::domain::{Content, Entry, duration_text};
use crate::platform::calendar::day_text;
use crate::platform::pdf::{self, About, Cell, Fonts, MARGIN, Sheets, Unprintable, WIDTH};

/// The PDF of a certificate.
pub(super) fn render(content: &Content) -> Result<Vec<u8>, Unprintable> {
    let fonts = Fonts::read()?;
    let mut sheets = Sheets::new(&fonts);
    head(&mut sheets, content);
    records(&mut sheets, content);
    foot(&mut sheets, content)?;
    sheets.number(&format!("证书编号 {}　核验码 {}", content.serial, content.code));

    let about = About {
        title: format!("志愿服务记录证明 {}", content.serial),
        author: &content.issuer,
        day: content.issued_on,
        id: content.serial.clone(),
    };
    pdf::write(about, &fonts, sheets)
}

/// Characters of a certificate that the fonts do not have: they are printed as 〓, and staff write them in by hand.
pub(super) fn missing(content: &Content) -> Result<String, Unprintable> {
    let fonts = Fonts::read()?;
    let all = serde_json::to_string(content).map_err(|error| Unprintable::Written(error.to_string()))?;
    let mut missing: Vec<char> = all.chars().filter(|letter| !fonts.has(*letter)).collect();
    missing.sort_unstable();
    missing.dedup();
    Ok(missing.into_iter().collect())
}

/// Title, number, who it is about, and the sentence that certifies.
fn head(sheets: &mut Sheets<'_>, content: &Content) {
    sheets.down(28.0);
    sheets.centred("志愿服务记录证明", 22.0);
    sheets.down(10.0);
    sheets.right(&format!("证书编号：{}", content.serial), 9.0);
    sheets.down(10.0);
    let skills = if content.skills.is_empty() { "—".to_owned() } else { content.skills.join("、") };
    let birth = day_text(content.birth);
    let pairs = [
        [("姓名", content.name.as_str()), ("性别", content.sex.as_str())],
        [("出生日期", birth.as_str()), ("证件类型", content.document_type.as_str())],
        [("证件号码", content.document_number.as_str()), ("志愿者编号", content.volunteer_number.as_str())],
        [("联系电话", content.phone.as_str()), ("技能特长", skills.as_str())],
    ];
    let label = 62.0;
    let value = WIDTH / 2.0 - label;
    for row in pairs {
        let cells: Vec<Cell<'_>> = row
            .into_iter()
            .flat_map(|(name, text)| [Cell { text: name, width: label }, Cell { text, width: value }])
            .collect();
        sheets.row(&cells, 10.0);
    }
    sheets.down(14.0);
    let day = |entry: Option<&Entry>| entry.map(|entry| day_text(entry.date)).unwrap_or_default();
    let (first, last) = (day(content.entries.first()), day(content.entries.last()));
    let sentence = format!(
        "　　兹证明{}于{first}至{last}在{}参加志愿服务{}次，累计服务时长{}（不含路途时间），各次服务记录如下。",
        content.name,
        content.community,
        content.entries.len(),
        duration_text(content.minutes),
    );
    sheets.paragraph(&sentence, 11.0);
    sheets.down(8.0);
}

/// Column titles and widths of the records.
const COLUMNS: [(&str, f32); 9] = [
    ("日期", 56.0),
    ("活动", 84.0),
    ("地点", 55.0),
    ("服务内容", 98.28),
    ("服务人数", 32.0),
    ("时长/分", 40.0),
    ("质量评价", 32.0),
    ("负责人", 48.0),
    ("记录人", 48.0),
];

/// Every service, with the columns' titles on each sheet.
fn records(sheets: &mut Sheets<'_>, content: &Content) {
    const SIZE: f32 = 8.5;
    let titles = COLUMNS.map(|(text, width)| Cell { text, width });
    sheets.row(&titles, SIZE);
    for entry in &content.entries {
        let date = format!("{}.{}.{}", entry.date.year(), entry.date.month(), entry.date.day());
        let number =
            |number: Option<i32>, unit: &str| number.map_or("—".to_owned(), |number| format!("{number}{unit}"));
        let (served, rating) = (number(entry.people_served, ""), number(entry.rating, "分"));
        let minutes = if entry.corrected { format!("{} 更正", entry.minutes) } else { entry.minutes.to_string() };
        let texts = [
            &date,
            &entry.activity,
            &entry.place,
            &entry.content,
            &served,
            &minutes,
            &rating,
            &entry.responsible,
            &entry.recorded_by,
        ];
        let cells: Vec<Cell<'_>> = texts.iter().zip(COLUMNS).map(|(text, (_, width))| Cell { text, width }).collect();
        if !sheets.fits(&cells, SIZE) {
            sheets.next();
            sheets.row(&titles, SIZE);
        }
        sheets.row(&cells, SIZE);
    }
}

/// Who certifies, when, and how to check it.
fn foot(sheets: &mut Sheets<'_>, content: &Content) -> Result<(), Unprintable> {
    const HEIGHT: f32 = 150.0;
    const CODE: f32 = 92.0;
    if !sheets.room(HEIGHT) {
        sheets.next();
    }
    sheets.down(18.0);
    let code = pdf::square_code(&content.check_url)?;
    let top = sheets.y();
    sheets.square_code(&code, MARGIN + WIDTH - CODE, top, CODE);
    for (name, text) in [
        ("出具单位（盖章）", &content.issuer),
        ("负责人", &content.responsible),
        ("经办人", &content.handler),
        ("联系方式", &content.contact),
        ("出具日期", &day_text(content.issued_on)),
        ("核验码", &content.code),
    ] {
        sheets.within(&format!("{name}：{text}"), 10.5, WIDTH - CODE - 16.0);
    }
    sheets.at_least(top + CODE + 4.0);
    sheets.within(
        "扫描二维码，或在小程序输入核验码，可查验本证明是否有效。志愿者认为记录有误的，可以申请更正。",
        8.5,
        WIDTH,
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(entries: u16) -> Content {
        let day = |text: &str| text.parse().unwrap();
        let entry = |at: u16| Entry {
            activity: format!("“红色引擎”停车值守第{at}班"),
            date: day("2026-11-20"),
            place: "光华社区".to_owned(),
            people_served: at.is_multiple_of(2).then_some(i32::from(at)),
            content: "引导停放、登记来车、劝离占道；帮助独居老人搬运米面油，并陪同就医".to_owned(),
            minutes: 480,
            corrected: at % 7 == 3,
            rating: Some(5),
            responsible: "周永福".to_owned(),
            recorded_by: "陈秀英".to_owned(),
        };
        Content {
            serial: "JIANGAN-CHEZHAN-GUANGHUA-2026-000001".to_owned(),
            code: "7K3M-0001-ABCD-WXYZ".to_owned(),
            check_url: "https://linli.example/api/v1/certificates/verify/7K3M-0001-ABCD-WXYZ".to_owned(),
            issued_on: day("2026-11-24"),
            name: "阿依古丽·吐尔逊江䶮".to_owned(),
            sex: "女".to_owned(),
            birth: day("1949-12-31"),
            document_type: "港澳居民来往内地通行证".to_owned(),
            document_number: "110***********002X".to_owned(),
            volunteer_number: "JIANGAN-CHEZHAN-GUANGHUA-V000012".to_owned(),
            skills: ["急救", "楚剧", "Python", "老人陪护", "手语翻译"].map(str::to_owned).to_vec(),
            phone: "138****0001".to_owned(),
            community: "光华社区".to_owned(),
            minutes: 480 * i64::from(entries),
            entries: (1..=entries).map(entry).collect(),
            issuer: "江岸区车站街道光华社区居民委员会".to_owned(),
            responsible: "周永福".to_owned(),
            handler: "陈秀英".to_owned(),
            contact: "027-82800000，光华社区党群服务中心一楼志愿服务站".to_owned(),
        }
    }

    fn pages(pdf: &[u8]) -> usize {
        let text = String::from_utf8_lossy(pdf);
        text.matches("/Type/Page/").count() + text.matches("/Type /Page\n").count()
    }

    #[test]
    fn the_same_content_is_the_same_file() {
        let content = content(3);
        let pdf = render(&content).unwrap();
        assert!(pdf.starts_with(b"%PDF-"));
        assert!(render(&content).unwrap() == pdf);
        assert!(pdf.len() < 200_000, "only the characters that are used are embedded: {}", pdf.len());
        let other = Content { name: "王秀英".to_owned(), ..content };
        assert!(render(&other).unwrap() != pdf);
        // To look at: LINLI_SHOW_PDF=folder cargo test -p linli --lib certificates
        if let Some(folder) = std::env::var_os("LINLI_SHOW_PDF") {
            let folder = std::path::Path::new(&folder);
            std::fs::write(folder.join("short.pdf"), pdf).unwrap();
            std::fs::write(folder.join("long.pdf"), render(&self::content(60)).unwrap()).unwrap();
        }
    }

    #[test]
    fn many_records_go_on_over_several_sheets() {
        let (one, many) = (render(&content(1)).unwrap(), render(&content(60)).unwrap());
        assert!(pages(&one) <= pages(&many) && many.len() > one.len());
    }

    #[test]
    fn what_the_fonts_lack_is_said() {
        assert_eq!(missing(&content(1)).unwrap(), "");
        let rare = Content { name: "王𠅤".to_owned(), ..content(1) };
        assert_eq!(missing(&rare).unwrap(), "𠅤");
        render(&rare).unwrap();
    }
}
