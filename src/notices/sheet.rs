//! A notice on one A4 sheet for the board at the gate.

use chrono::{DateTime, Utc};

use crate::platform::calendar;
use crate::platform::pdf::{self, About, BOTTOM, Fonts, LINE, MARGIN, Sheets, Unprintable, WIDTH, count};

/// What is printed.
#[derive(Clone, Debug)]
pub(super) struct Content {
    /// Whose board.
    pub place: String,
    pub seq: i64,
    pub title: String,
    pub body: String,
    pub published_at: DateTime<Utc>,
    pub objections_until: Option<DateTime<Utc>>,
    /// Within so many days an objection is answered.
    pub reply_days: i64,
    /// So many corrections there are of it, the newest with this number.
    pub corrections: Option<(usize, i64)>,
    pub hash: String,
    pub page_url: String,
}

/// Where the foot begins: window, how to object, hash and square code.
const FOOT: f32 = 160.0;
const CODE: f32 = 104.0;
/// The size of a text, the largest that fits: who reads it stands before a board.
const SIZES: [f32; 8] = [18.0, 16.0, 14.5, 13.0, 12.0, 11.0, 10.0, 9.5];

/// The PDF of a notice: always one sheet.
pub(super) fn render(content: &Content) -> Result<Vec<u8>, Unprintable> {
    let fonts = Fonts::read()?;
    let mut sheets = Sheets::new(&fonts);
    sheets.centred(&format!("{}公示栏", content.place), 13.0);
    sheets.down(8.0);
    title(&mut sheets, &content.title);
    sheets.down(6.0);
    let day = calendar::day_text(calendar::day(content.published_at));
    sheets.centred(&format!("第{}号　{day}公示", content.seq), 11.0);
    sheets.down(6.0);
    sheets.rule();
    sheets.down(10.0);
    body(&mut sheets, &content.body);
    foot(&mut sheets, content)?;
    let about = About {
        title: content.title.clone(),
        author: &content.place,
        day: calendar::day(content.published_at),
        id: content.hash.clone(),
    };
    pdf::write(about, &fonts, sheets)
}

/// In the largest size that takes two lines, or cut to three of the smallest.
fn title(sheets: &mut Sheets<'_>, text: &str) {
    const SMALLEST: f32 = 15.0;
    let text = text.replace(char::is_control, " ");
    let sizes = [26.0, 22.0, 18.0];
    let fitting = sizes.into_iter().find(|size| sheets.fonts().lines(&text, WIDTH / size).len() <= 2);
    let size = fitting.unwrap_or(SMALLEST);
    let mut lines = sheets.fonts().lines(&text, WIDTH / size);
    if lines.len() > 3 {
        lines.truncate(3);
        if let Some(last) = lines.last_mut() {
            last.pop();
            last.push('…');
        }
    }
    for line in lines {
        sheets.centred(&line, size);
    }
}

/// In the largest size that fits above the foot; what does not fit in the smallest is read online.
fn body(sheets: &mut Sheets<'_>, text: &str) {
    const ONLINE: &str = "（本页篇幅有限，余下内容请扫描下方二维码在线阅读，或到社区党群服务中心查阅。）";
    let fonts = sheets.fonts();
    let space = BOTTOM - FOOT - sheets.y();
    let lines = |size: f32| -> Vec<String> {
        let paragraphs = text.split('\n').map(|paragraph| paragraph.replace(char::is_control, " "));
        paragraphs.flat_map(|paragraph| fonts.lines(paragraph.trim_end(), WIDTH / size)).collect()
    };
    let height = |lines: usize, size: f32| count(lines) * size * LINE;
    let fitting =
        SIZES.into_iter().map(|size| (size, lines(size))).find(|(size, set)| height(set.len(), *size) <= space);
    if let Some((size, set)) = fitting {
        sheets.set_lines(&set, size);
        return;
    }
    let size = SIZES.last().copied().unwrap_or(9.5);
    let online = fonts.lines(ONLINE, WIDTH / size);
    let mut set = lines(size);
    let rows = (0..set.len()).rev().find(|rows| height(rows + online.len(), size) <= space);
    set.truncate(rows.unwrap_or_default());
    set.extend(online);
    sheets.set_lines(&set, size);
}

fn foot(sheets: &mut Sheets<'_>, content: &Content) -> Result<(), Unprintable> {
    let top = BOTTOM - FOOT + 8.0;
    sheets.at_least(top);
    sheets.rule();
    sheets.down(10.0);
    let code = pdf::square_code(&content.page_url)?;
    let code_top = sheets.y();
    sheets.square_code(&code, MARGIN + WIDTH - CODE, code_top, CODE);
    let beside = WIDTH - CODE - 18.0;
    if let Some((number, newest)) = content.corrections {
        sheets.within(&format!("本公示已有更正{number}条，最新一条为第{newest}号。"), 12.0, beside);
        sheets.down(4.0);
    }
    let text = match content.objections_until {
        Some(until) => {
            let until = calendar::text(until, "%Y年%-m月%-d日 %H:%M");
            sheets.within(&format!("异议期：公示之日起至{until}"), 13.0, beside);
            sheets.down(4.0);
            format!(
                "对公示内容有异议的居民，请在异议期内打开小程序“公示”中的本条提出；不使用手机的居民，可到社区党群服务中心请工作人员协助。\
                 异议在{}日内公开答复，答复前公示内容不生效。",
                content.reply_days
            )
        }
        None => "对公示内容有疑问的居民，可到社区党群服务中心询问。".to_owned(),
    };
    sheets.within(&text, 11.0, beside);
    sheets.at_least(code_top + CODE + 6.0);
    sheets.within("扫描二维码，可查看全文、更正、异议和答复，并核对本公示是否被改动。哈希值（SHA-256）：", 9.0, WIDTH);
    sheets.within(&content.hash, 9.0, WIDTH);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(body: &str) -> Content {
        let published_at: DateTime<Utc> = "2026-11-24T02:00:00Z".parse().unwrap();
        Content {
            place: "光华社区".to_owned(),
            seq: 12,
            title: "“红色引擎”车辆自治之家项目中选公示".to_owned(),
            body: body.to_owned(),
            published_at,
            objections_until: Some(calendar::day_end(calendar::day(published_at) + chrono::TimeDelta::days(7))),
            reply_days: 5,
            corrections: None,
            hash: "d7dff15f51cb12120cfbb202e889615fe25be0a48d01af2b9d60c8c8846cb8d4".to_owned(),
            page_url: "https://linli.example/api/v1/public/notices/019ab5c1-0000-7000-8000-000000000000/page"
                .to_owned(),
        }
    }

    const SHORT: &str = "经评审委员会评审，下列组织中选，现予公示。\n\n项目：光华社区停车自治服务\n中选组织：武汉春晖社会工作服务中心\n\
        综合得分：87.50分\n合同金额：48,600.00元\n\n评审得分、报价和理由见附表；对结果有异议的，请在异议期内提出。";

    fn sheets(pdf: &[u8]) -> usize {
        let text = String::from_utf8_lossy(pdf);
        text.matches("/Type/Page/").count() + text.matches("/Type /Page\n").count()
    }

    #[test]
    fn a_notice_of_any_length_is_one_sheet() {
        let long = SHORT.repeat(30);
        let medium = SHORT.repeat(5);
        let extreme = Content { title: "很长的标题".repeat(40), corrections: Some((2, 15)), ..content(&long) };
        let plain = Content { objections_until: None, ..content("一句话。") };
        let cases = [
            ("short", content(SHORT)),
            ("medium", content(&medium)),
            ("long", content(&long)),
            ("extreme", extreme),
            ("plain", plain),
        ];
        for (name, content) in cases {
            let pdf = render(&content).unwrap();
            assert!(pdf.starts_with(b"%PDF-") && pdf.len() < 300_000, "{name}: {}", pdf.len());
            assert!(render(&content).unwrap() == pdf, "the same content is the same file");
            assert!(sheets(&pdf) <= 1, "{name}");
            // To look at: LINLI_SHOW_PDF=folder cargo test -p linli --lib notices
            if let Some(folder) = std::env::var_os("LINLI_SHOW_PDF") {
                std::fs::write(std::path::Path::new(&folder).join(format!("notice-{name}.pdf")), pdf).unwrap();
            }
        }
    }

    #[test]
    fn what_is_printed_fits_the_sheet() {
        let fonts = Fonts::read().unwrap();
        for repeat in [1, 2, 5, 8, 30, 300] {
            let mut sheets = Sheets::new(&fonts);
            sheets.down(100.0);
            body(&mut sheets, &SHORT.repeat(repeat));
            assert!(sheets.y() <= BOTTOM - FOOT + 0.5, "{repeat}: {}", sheets.y());
            foot(&mut sheets, &content(SHORT)).unwrap();
            assert!(sheets.y() <= BOTTOM + 14.0, "{}", sheets.y());
        }
    }
}
