//! Where the text of an expression stands in its file.
//!
//! An expression is parsed from the decoded text of a TOML string. Escapes make that text shorter than what the file
//! holds, so each byte of it is mapped back to the file: messages underline what the user wrote.

use terrane_model::{FileId, Span};

/// The file that a text comes from, and where in it.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The file.
    pub file: FileId,
    /// Where each byte of the text stands in it.
    pub map: OffsetMap,
}

impl Origin {
    /// A text that stands in the file as it is, from `start` on.
    pub fn linear(file: FileId, start: usize) -> Origin {
        Origin { file, map: OffsetMap::linear(start) }
    }

    /// The place in the file of a range of bytes of the text.
    pub fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.file, self.map.to_file(start), self.map.to_file(end))
    }
}

/// Maps offsets of a decoded text to offsets of a file: runs of bytes that stand in both one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OffsetMap {
    first: usize,
    /// (offset in the text, offset in the file) of each run but the first, ascending.
    runs: Vec<(usize, usize)>,
}

impl OffsetMap {
    /// Text that stands in the file unchanged, from `start` on.
    pub fn linear(start: usize) -> OffsetMap {
        OffsetMap { first: start, runs: Vec::new() }
    }

    /// From the byte `text` of the decoded text on, bytes stand in the file from `file` on. To be called with ascending
    /// offsets: once behind each escape, for example.
    pub fn resume(&mut self, text: usize, file: usize) {
        match self.runs.last_mut() {
            Some(last) if last.0 >= text => last.1 = file,
            _ => self.runs.push((text, file)),
        }
    }

    /// The offset in the file of a byte of the text.
    pub fn to_file(&self, text: usize) -> usize {
        let run = self.runs.partition_point(|(start, _)| *start <= text);
        match run.checked_sub(1).and_then(|i| self.runs.get(i)) {
            Some((start, file)) => file + (text - start),
            None => self.first + text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_behind_escapes_are_those_of_the_file() {
        // The file holds `"a\n${x}"` from offset 10 on, the text is `a`, newline, `${x}`.
        let mut map = OffsetMap::linear(11);
        map.resume(2, 14);
        assert_eq!(map.to_file(0), 11);
        assert_eq!(map.to_file(1), 12);
        assert_eq!(map.to_file(2), 14);
        assert_eq!(map.to_file(5), 17);
        let span = Origin { file: FileId(3), map }.span(2, 6);
        assert_eq!(span, Span::new(FileId(3), 14, 18));
    }
}
