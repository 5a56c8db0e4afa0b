//! The indentation that the lines of a heredoc `<<-` share, and that is taken away.
//!
//! What counts are the pieces of the text as they follow each other, those inside of directives too, after strip marks
//! have done their work: a line of nothing but blank space does not count, and a marker at the start of a line has no
//! indentation. So the text is read twice, once to count and once to cut. What was counted is kept, so that heredocs
//! inside of each other are not read more and more often.

use super::{Parsed, Parser};

/// What happens to the pieces of text of the heredoc that is being read.
pub(super) enum Flush {
    /// They are gathered; nothing stands for a marker.
    Count(Vec<Option<String>>),
    /// As many characters are taken from the start of each.
    Cut(Vec<usize>, usize),
}

impl<'t> Parser<'t> {
    /// Reads something that has pieces of its own.
    pub(super) fn apart<T>(&mut self, read: impl FnOnce(&mut Parser<'t>) -> Parsed<T>) -> Parsed<T> {
        let outer = self.flush.take();
        let result = read(self);
        self.flush = outer;
        result
    }

    /// Reads the text of a heredoc twice, the second time without the indentation that its lines share.
    pub(super) fn flushed<T>(&mut self, read: impl Fn(&mut Parser<'t>) -> Parsed<T>) -> Parsed<T> {
        let start = self.at;
        self.apart(|p| {
            if !p.counted.contains_key(&start) {
                let problems = p.problems.len();
                p.flush = Some(Flush::Count(Vec::new()));
                read(p)?;
                if let Some(Flush::Count(pieces)) = p.flush.take() {
                    p.counted.insert(start, cuts(&pieces));
                }
                p.problems.truncate(problems);
                p.at = start;
            }
            p.flush = p.counted.get(&start).map(|cuts| Flush::Cut(cuts.clone(), 0));
            read(p)
        })
    }

    /// A piece of text, as it is to be kept.
    pub(super) fn piece(&mut self, text: String) -> String {
        match &mut self.flush {
            None => text,
            Some(Flush::Count(pieces)) => {
                pieces.push(Some(text.clone()));
                text
            }
            Some(Flush::Cut(cuts, next)) => {
                let cut = cuts.get(*next).copied().unwrap_or(0);
                *next += 1;
                if cut == 0 { text } else { text.chars().skip(cut).collect() }
            }
        }
    }

    /// A marker stands here. `strips`: it takes the blank space before it away.
    pub(super) fn marker(&mut self, strips: bool) {
        match &mut self.flush {
            None => {}
            Some(Flush::Count(pieces)) => {
                if let (true, Some(Some(last))) = (strips, pieces.last_mut()) {
                    last.truncate(last.trim_end().len());
                }
                pieces.push(None);
            }
            Some(Flush::Cut(_, next)) => *next += 1,
        }
    }
}

/// How many characters each piece loses.
fn cuts(pieces: &[Option<String>]) -> Vec<usize> {
    let mut least = usize::MAX;
    let mut at_line_start = true;
    let mut starts = Vec::with_capacity(pieces.len());
    for piece in pieces {
        let starts_line = std::mem::replace(&mut at_line_start, false);
        let text = piece.as_deref().unwrap_or_default();
        at_line_start = text.ends_with('\n');
        let is_blank = at_line_start && text.trim().is_empty();
        if starts_line && !is_blank {
            least = least.min(text.chars().take_while(|c| c.is_whitespace()).count());
        }
        starts.push(starts_line && !is_blank && piece.is_some());
    }
    starts.into_iter().map(|starts| if starts { least } else { 0 }).collect()
}
