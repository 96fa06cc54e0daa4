//! Who reads what experts wrote, and when.

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// Runs the programme and sits on no panel of it.
    Staff,
    /// Sits on the panel; whether they have reviewed this version.
    Expert {
        /// Whether they did.
        reviewed: bool,
    },
    /// Anybody else.
    Anybody,
}

/// Whether a reader sees others' reviews of a version. `over`: its reviews have ended. `shortlisted`: the project was.
///
/// An expert judges before reading what others think; what led to a shortlist is public, without names.
pub fn sees_others(reader: Reader, over: bool, shortlisted: bool) -> bool {
    match reader {
        Reader::Staff => true,
        Reader::Expert { reviewed } => reviewed || over,
        Reader::Anybody => shortlisted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expert_reads_others_only_after_reviewing_or_after_the_end() {
        for shortlisted in [false, true] {
            assert!(!sees_others(Reader::Expert { reviewed: false }, false, shortlisted));
            assert!(sees_others(Reader::Expert { reviewed: true }, false, shortlisted));
            assert!(sees_others(Reader::Expert { reviewed: false }, true, shortlisted));
            assert!(sees_others(Reader::Staff, false, shortlisted));
            assert_eq!(sees_others(Reader::Anybody, true, shortlisted), shortlisted);
        }
    }
}
