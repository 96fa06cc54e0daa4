//! A notice as a page that an old phone shows in large letters.

use super::board::{NoticeDetail, NoticeView, WindowView};
use crate::platform::calendar;

const STYLE: &str = "body{font:1.25rem/1.7 sans-serif;margin:0 auto;max-width:42rem;padding:1rem;color:#111;background:#fff}\
    h1{font-size:1.7rem;line-height:1.35}h2{font-size:1.3rem;margin-bottom:0}.t{white-space:pre-wrap;overflow-wrap:anywhere}\
    .b{border:2px solid #b00;padding:.6rem 1rem;margin:1rem 0}small,code{font-size:1rem;color:#444;overflow-wrap:anywhere}";

pub(super) fn html(detail: &NoticeDetail, place: &str) -> String {
    let NoticeDetail { notice, window, corrections } = detail;
    let mut html = format!(
        "<!doctype html><html lang=zh-CN><meta charset=utf-8><meta name=viewport content='width=device-width,initial-scale=1'>\
         <title>{title}</title><style>{STYLE}</style><p>{place} 公示栏　第{seq}号</p><h1>{title}</h1>\
         <p>公示时间：{at}</p><div class=t>{body}</div>",
        title = escaped(&notice.title),
        place = escaped(place),
        seq = notice.seq,
        at = calendar::text(notice.published_at, "%Y年%-m月%-d日 %H:%M"),
        body = escaped(&notice.body),
    );
    for correction in corrections {
        html.push_str(&corrected(correction));
    }
    if let Some(window) = window {
        html.push_str(&objections(window));
    }
    html.push_str(&format!(
        "<h2>核对</h2><small>本条哈希值：<code>{}</code><br>上一条哈希值：<code>{}</code><br>每条公示都带有上一条的哈希值，\
         事后改动任何一个字都会被发现。</small></html>",
        notice.hash, notice.prev_hash
    ));
    html
}

fn corrected(notice: &NoticeView) -> String {
    let day = calendar::day_text(calendar::day(notice.published_at));
    format!("<div class=b><b>更正</b>（第{}号，{day}）<div class=t>{}</div></div>", notice.seq, escaped(&notice.body))
}

fn objections(window: &WindowView) -> String {
    let until = calendar::text(window.objections_until, "%Y年%-m月%-d日 %H:%M");
    let standing = match window.standing {
        "open" => {
            "可以提出异议：在小程序“公示”中打开本条，选择“提出异议”；不使用手机的居民可到社区党群服务中心请工作人员协助。"
        }
        "contested" => "异议期已结束，仍有异议待答复，公示内容暂不生效。",
        "upheld" => "有异议成立，公示内容不生效。",
        _ => "异议期已结束，没有成立的异议。",
    };
    format!(
        "<div class=b><b>异议期至{until}</b><br>{standing}<br>待答复{}件，成立{}件，不成立{}件。</div>",
        window.objections_open, window.objections_upheld, window.objections_dismissed
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_no_markup() {
        assert_eq!(escaped("<b onclick='x'>&\""), "&lt;b onclick=&#39;x&#39;&gt;&amp;&quot;");
    }
}
