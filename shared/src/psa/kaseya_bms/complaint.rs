//! What an answer that is a failure says, as far as it is looked at.
//!
//! A host that a partner names may answer anything, so none of its words is shown to anybody; but whether words of ours
//! occur in them tells which field of ours was refused. How BMS words a refusal is in no specification. .NET's own check of a
//! body, which may answer before BMS does, names fields as the members of `errors`.

use serde_json::Value;

use super::fields::Row;
use crate::http::Answer;
use crate::psa::PsaError;

/// Tells more of a refusal than its status does; `None` where it can't.
pub(super) type Explain = fn(&Complaint) -> Option<PsaError>;

/// What a failure says.
#[derive(Debug, Default)]
pub(super) struct Complaint {
    status: u16,
    /// It is BMS's envelope, and says that the call has failed.
    pub(super) says_no: bool,
    /// It is a page for people or something else that BMS does not answer.
    is_foreign: bool,
    /// Its sentences in lower case.
    sentences: Vec<String>,
}

impl Complaint {
    /// Of an answer, its body (names in lower case) and the error that was in it.
    pub(super) fn of(answer: &Answer, body: Option<Row>, error: Option<Row>) -> Self {
        let is_foreign = body.is_none() && !answer.body.is_empty();
        let says_no = body.as_ref().and_then(|body| body.flag("success")) == Some(false);
        let mut sentences = vec![];
        if let Some(mut error) = error {
            sentences.extend(["message", "details"].into_iter().filter_map(|name| error.text(name)));
            sentences.extend(texts(error.take("suberrors")));
        }
        if let Value::Object(fields) = body.map(|mut body| body.take("errors")).unwrap_or_default() {
            for (field, said) in fields {
                sentences.extend(texts(said).into_iter().map(|said| format!("{field}: {said}")));
            }
        }
        let sentences = sentences.into_iter().map(|sentence| sentence.to_lowercase()).collect();
        Self { status: answer.status, says_no, is_foreign, sentences }
    }

    /// Whether BMS itself speaks of what was sent, and not of who has sent it, how often, or where to.
    pub(super) fn is_of_content(&self) -> bool {
        !self.is_foreign && matches!(self.status, 200..=299 | 400 | 404 | 409 | 422)
    }

    /// Whether what was asked for, or named, is not there.
    pub(super) fn is_of_absence(&self) -> bool {
        self.status == 404 || self.says_any(&["not found", "not exist"])
    }

    /// Whether one of these occurs in it.
    pub(super) fn says_any(&self, words: &[&str]) -> bool {
        self.sentences.iter().any(|sentence| words.iter().any(|words| sentence.contains(words)))
    }

    /// Those of `names` that stand as whole words in a sentence with one of `words`.
    pub(super) fn named<'a>(&self, names: &[&'a str], words: &[&str]) -> Vec<&'a str> {
        let about: Vec<_> =
            self.sentences.iter().filter(|sentence| words.iter().any(|words| sentence.contains(words))).collect();
        let stands = |name: &&&str| {
            let is_it = |word: &str| word.eq_ignore_ascii_case(name);
            about.iter().any(|sentence| sentence.split(|c: char| !c.is_alphanumeric()).any(is_it))
        };
        names.iter().filter(stands).copied().collect()
    }
}

/// A text, or several.
fn texts(value: Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.into_iter().filter_map(|item| item.as_str().map(str::to_owned)).collect(),
        _ => vec![],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::psa::kaseya_bms::fields::lower_cased;

    fn complaint(status: u16, text: &str) -> Complaint {
        let answer = Answer { status, retry_after_s: None, body: text.as_bytes().to_vec() };
        let mut body = answer.parse::<Value>().map(lower_cased).and_then(Row::of);
        let error = body.as_mut().and_then(|body| Row::of(body.take("error")));
        Complaint::of(&answer, body, error)
    }

    #[test]
    fn a_field_is_named_as_a_whole_word_wherever_the_sentence_stands() {
        for text in [
            r#"{"Success":false,"Error":{"Message":"Invalid.","SubErrors":["The TypeId field is REQUIRED."]}}"#,
            r#"{"success":false,"error":{"message":"typeid is required"}}"#,
            r#"{"success":false,"error":{"message":"x","details":"$.TypeId: required"}}"#,
            r#"{"title":"One or more","status":400,"errors":{"TypeId":["The field is required."]}}"#,
            r#"{"errors":{"typeId":"required"}}"#,
        ] {
            let named = complaint(400, text).named(&["TypeId", "IssueTypeId", "Type"], &["required"]);
            assert_eq!(named, ["TypeId"], "{text}");
            assert!(complaint(400, text).named(&["TypeId"], &["unknown"]).is_empty());
        }
    }

    #[test]
    fn a_page_and_a_status_of_somebody_before_bms_say_nothing_of_content() {
        for (status, text, of_content) in [
            (400, r#"{"success":false}"#, true),
            (404, "", true),
            (200, r#"{"success":false}"#, true),
            (404, "<html>", false),
            (403, r#"{"success":false}"#, false),
            (429, "", false),
            (500, r#"{"success":false}"#, false),
        ] {
            assert_eq!(complaint(status, text).is_of_content(), of_content, "{status} {text}");
        }
        assert!(complaint(200, r#"{"Success":false}"#).says_no && !complaint(200, r#"{"result":[]}"#).says_no);
    }
}
