//! The pushes Linli acts on, in every form in which WeChat sends them: numbers as strings or not, fields flat or nested
//! below the event's name, a `List` that is an object when there is one and an array when there are more.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::model::{Suggest, Verdict};
use crate::platform::crypto::hex;

/// Something WeChat tells us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A picture was checked.
    MediaCheck {
        /// The id that `check_image` gave.
        trace_id: String,
        /// What came of it.
        outcome: MediaOutcome,
    },
    /// Somebody answered the popup that asks for consent; one event a template.
    SubscribePopup {
        /// Who.
        openid: String,
        /// WeChat's id of the template.
        template: String,
        /// An acceptance is good for one message.
        accepted: bool,
    },
    /// Somebody changed their consent in the mini-program's settings; in practice they take it back.
    SubscribeChange {
        /// Who.
        openid: String,
        /// WeChat's id of the template.
        template: String,
        /// Whether they allow messages now.
        accepted: bool,
    },
    /// A message was delivered, or not.
    SubscribeSent {
        /// To whom.
        openid: String,
        /// WeChat's id of the template.
        template: String,
        /// WeChat's id of the message.
        msg_id: String,
        /// 0 when it was delivered.
        errcode: i64,
    },
    /// Somebody took back what they had allowed the mini-program to know: it has to be deleted.
    AuthorizationRevoked {
        /// Who.
        openid: String,
    },
    /// Somebody closed their WeChat account: what is known about them has to be deleted.
    AuthorizationCancelled {
        /// Who.
        openid: String,
    },
    /// What Linli does not act on: the event's name, or the kind of a message.
    Other(String),
}

/// What came of checking a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaOutcome {
    /// WeChat judged it.
    Checked(Verdict),
    /// WeChat could not judge it: -1008, it could not download it.
    Failed {
        /// WeChat's number for the reason.
        errcode: i64,
    },
}

/// The events of a message; `None` when it is no message at all.
pub(super) fn parse(message: &Value) -> Option<Vec<Event>> {
    let kind = text(message, "MsgType")?;
    if kind != "event" {
        return Some(vec![Event::Other(kind)]);
    }
    let name = text(message, "Event")?;
    let from = || text(message, "FromUserName");
    // `FromUserName` is somebody else's id in these two.
    let subject = || text(message, "OpenID").or_else(from);
    let events = match name.as_str() {
        "wxa_media_check" => vec![media_check(message)?],
        "subscribe_msg_popup_event" => each(message, |entry| {
            Some(Event::SubscribePopup { openid: from()?, template: template(entry)?, accepted: accepted(entry)? })
        })?,
        "subscribe_msg_change_event" => each(message, |entry| {
            Some(Event::SubscribeChange { openid: from()?, template: template(entry)?, accepted: accepted(entry)? })
        })?,
        "subscribe_msg_sent_event" => each(message, |entry| {
            Some(Event::SubscribeSent {
                openid: from()?,
                template: template(entry)?,
                msg_id: text(entry, "MsgID")?,
                errcode: number(entry, "ErrorCode")?,
            })
        })?,
        "user_authorization_revoke" => vec![Event::AuthorizationRevoked { openid: subject()? }],
        "user_authorization_cancellation" => vec![Event::AuthorizationCancelled { openid: subject()? }],
        _ => vec![Event::Other(name)],
    };
    Some(events)
}

/// What is the same in every delivery of one message and differs between messages: its `MsgId`; for events, which have
/// none, sender, second and name. One sender may cause several events of a name within a second (two pictures checked),
/// so that what tells them apart belongs to it too. Hashed, because it holds who somebody is and may be long.
pub(super) fn dedupe_key(message: &Value) -> String {
    if let Some(id) = text(message, "MsgId") {
        return format!("message:{id}");
    }
    let mut digest = Sha256::new();
    let mut add = |value: Option<String>| {
        digest.update(value.unwrap_or_default());
        digest.update([0]);
    };
    for key in ["FromUserName", "CreateTime", "Event", "trace_id", "OpenID"] {
        add(text(message, key));
    }
    for entry in entries(message) {
        for key in ["TemplateId", "MsgID", "SubscribeStatusString"] {
            add(text(entry, key));
        }
    }
    format!("event:{}", hex(&digest.finalize()))
}

fn media_check(message: &Value) -> Option<Event> {
    let trace_id = text(message, "trace_id")?;
    let outcome = match number(message, "errcode").unwrap_or(0) {
        0 => {
            let result = message.get("result").unwrap_or(&Value::Null);
            let suggest = Suggest::from_word(&text(result, "suggest").unwrap_or_default());
            MediaOutcome::Checked(Verdict { suggest, label: number(result, "label").unwrap_or_default() })
        }
        errcode => MediaOutcome::Failed { errcode },
    };
    Some(Event::MediaCheck { trace_id, outcome })
}

/// One event an entry, or none at all if an entry cannot be read: WeChat then sends it again and we hear of it.
fn each(message: &Value, event: impl Fn(&Value) -> Option<Event>) -> Option<Vec<Event>> {
    entries(message).into_iter().map(event).collect()
}

/// Whatever has a template id, at the top, in `List`, or below the event's name.
fn entries(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().flat_map(entries).collect(),
        Value::Object(_) if value.get("TemplateId").is_some() => vec![value],
        Value::Object(_) => ["List", "SubscribeMsgPopupEvent", "SubscribeMsgChangeEvent", "SubscribeMsgSentEvent"]
            .into_iter()
            .filter_map(|key| value.get(key))
            .flat_map(entries)
            .collect(),
        _ => Vec::new(),
    }
}

fn template(entry: &Value) -> Option<String> {
    text(entry, "TemplateId")
}

fn accepted(entry: &Value) -> Option<bool> {
    text(entry, "SubscribeStatusString").map(|word| word == "accept")
}

/// A string or a number, as text.
fn text(value: &Value, key: &str) -> Option<String> {
    match value.get(key)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn number(value: &Value, key: &str) -> Option<i64> {
    text(value, key)?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(name: &str, more: &Value) -> Value {
        let mut message = json!({
            "ToUserName": "gh_123456789abc", "FromUserName": "o1", "CreateTime": "1620973045",
            "MsgType": "event", "Event": name,
        });
        message.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        message
    }

    fn popup(template: &str, accepted: bool) -> Event {
        Event::SubscribePopup { openid: "o1".into(), template: template.into(), accepted }
    }

    #[test]
    fn a_popup_is_read_in_every_form() {
        let a = json!({ "TemplateId": "a", "SubscribeStatusString": "accept", "PopupScene": "0" });
        let b = json!({ "TemplateId": "b", "SubscribeStatusString": "reject", "PopupScene": 0 });
        for one in [
            json!({ "List": a }),
            json!({ "List": [a] }),
            json!({ "SubscribeMsgPopupEvent": { "List": a } }),
            json!({ "SubscribeMsgPopupEvent": { "List": [a] } }),
            json!({ "SubscribeMsgPopupEvent": [{ "List": a }] }),
            json!({ "SubscribeMsgPopupEvent": a }),
            a.clone(),
        ] {
            let message = event("subscribe_msg_popup_event", &one);
            assert_eq!(parse(&message).unwrap(), [popup("a", true)], "{message}");
        }
        for two in [json!({ "List": [a, b] }), json!({ "SubscribeMsgPopupEvent": { "List": [a, b] } })] {
            let message = event("subscribe_msg_popup_event", &two);
            assert_eq!(parse(&message).unwrap(), [popup("a", true), popup("b", false)], "{message}");
        }
    }

    #[test]
    fn changes_and_deliveries_are_read() {
        let change = json!({ "List": { "TemplateId": "a", "SubscribeStatusString": "reject" } });
        assert_eq!(
            parse(&event("subscribe_msg_change_event", &change)).unwrap(),
            [Event::SubscribeChange { openid: "o1".into(), template: "a".into(), accepted: false }]
        );
        for (msg_id, errcode) in
            [(json!("1864323726461255680"), json!("43101")), (json!(1_864_323_726_461_255_680_i64), json!(43101))]
        {
            let sent = json!({ "SubscribeMsgSentEvent": { "List":
                { "TemplateId": "a", "MsgID": msg_id, "ErrorCode": errcode, "ErrorStatus": "user refuse" } } });
            assert_eq!(
                parse(&event("subscribe_msg_sent_event", &sent)).unwrap(),
                [Event::SubscribeSent {
                    openid: "o1".into(),
                    template: "a".into(),
                    msg_id: "1864323726461255680".into(),
                    errcode: 43101
                }]
            );
        }
    }

    #[test]
    fn a_picture_passes_waits_is_refused_or_was_not_fetched() {
        let check = |more: Value| match parse(&event("wxa_media_check", &more)).unwrap().as_slice() {
            [Event::MediaCheck { trace_id, outcome }] if trace_id == "t" => *outcome,
            other => panic!("{other:?}"),
        };
        let verdict = |suggest, label| MediaOutcome::Checked(Verdict { suggest, label });
        let judged = |suggest: &str, label: Value| json!({ "trace_id": "t", "errcode": 0, "result": { "suggest": suggest, "label": label }, "detail": [] });
        assert_eq!(check(judged("pass", json!(100))), verdict(Suggest::Pass, 100));
        assert_eq!(check(judged("review", json!("20012"))), verdict(Suggest::Review, 20012));
        assert_eq!(check(judged("risky", json!(20002))), verdict(Suggest::Risky, 20002));
        assert_eq!(check(json!({ "trace_id": "t" })), verdict(Suggest::Review, 0));
        for errcode in [json!(-1008), json!("-1008")] {
            assert_eq!(check(json!({ "trace_id": "t", "errcode": errcode })), MediaOutcome::Failed { errcode: -1008 });
        }
    }

    #[test]
    fn who_revokes_is_in_openid() {
        let more = json!({ "OpenID": "o2", "AppID": "wx1", "RevokeInfo": "1" });
        assert_eq!(
            parse(&event("user_authorization_revoke", &more)).unwrap(),
            [Event::AuthorizationRevoked { openid: "o2".into() }]
        );
        assert_eq!(
            parse(&event("user_authorization_cancellation", &json!({}))).unwrap(),
            [Event::AuthorizationCancelled { openid: "o1".into() }]
        );
    }

    #[test]
    fn the_rest_is_named_and_rubbish_is_not_read() {
        assert_eq!(
            parse(&event("user_info_modified", &json!({}))),
            Some(vec![Event::Other("user_info_modified".into())])
        );
        assert_eq!(parse(&json!({ "MsgType": "text", "Content": "你好" })), Some(vec![Event::Other("text".into())]));
        assert_eq!(parse(&json!({ "MsgType": "event" })), None);
        assert_eq!(parse(&event("subscribe_msg_sent_event", &json!({ "List": { "TemplateId": "a" } }))), None);
    }

    #[test]
    fn a_key_is_the_same_for_every_delivery_and_for_no_two_messages() {
        assert_eq!(dedupe_key(&json!({ "MsgId": 12 })), dedupe_key(&json!({ "MsgId": "12" })));
        let first = event("wxa_media_check", &json!({ "trace_id": "t1" }));
        let mut again = first.clone();
        again["CreateTime"] = json!(1_620_973_045);
        assert_eq!(dedupe_key(&first), dedupe_key(&again));
        assert_ne!(dedupe_key(&first), dedupe_key(&event("wxa_media_check", &json!({ "trace_id": "t2" }))));
        assert_ne!(dedupe_key(&first), dedupe_key(&event("user_info_modified", &json!({ "trace_id": "t1" }))));
    }
}
