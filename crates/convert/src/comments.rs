//! The comments that stand between two things.

/// What stands between two things of a file: nothing but blank space, commas and comments.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Gap {
    /// The comment behind what comes before, on its line.
    pub(crate) after: Option<String>,
    /// The lines above what follows, without their marks. An empty one is an empty line.
    pub(crate) before: Vec<String>,
}

impl Gap {
    /// Reads a gap. At the start of a file nothing comes before.
    pub(crate) fn read(text: &str, at_start: bool) -> Gap {
        let mut gap = Gap::default();
        let mut newlines = usize::from(at_start);
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let (comment, tail) = match comment(rest) {
                Some(found) => found,
                None => {
                    if first == '\n' {
                        newlines += 1;
                        if newlines == 2 && gap.before.last().is_none_or(|line| !line.is_empty()) {
                            gap.before.push(String::new());
                        }
                    }
                    rest = rest.get(first.len_utf8()..).unwrap_or_default();
                    continue;
                }
            };
            rest = tail;
            match newlines {
                0 if gap.after.is_none() && comment.len() == 1 => gap.after = comment.into_iter().next(),
                _ => gap.before.extend(comment),
            }
            newlines = newlines.min(1);
            // The newline that ends a comment's own line is not an empty line.
            if newlines == 1 && rest.starts_with('\n') {
                rest = rest.get(1..).unwrap_or_default();
            }
        }
        gap
    }

    /// All lines, what stood behind something included.
    pub(crate) fn lines(self) -> Vec<String> {
        self.after.into_iter().chain(self.before).filter(|line| !line.is_empty()).collect()
    }
}

/// The comment at the start of a text, line by line, and what follows it.
fn comment(text: &str) -> Option<(Vec<String>, &str)> {
    if let Some(inside) = text.strip_prefix('#').or_else(|| text.strip_prefix("//")) {
        let end = inside.find('\n').unwrap_or(inside.len());
        let (line, rest) = inside.split_at_checked(end)?;
        return Some((vec![line.trim_end().strip_prefix(' ').unwrap_or(line.trim_end()).to_owned()], rest));
    }
    let inside = text.strip_prefix("/*")?;
    let (lines, rest) = inside.split_once("*/").unwrap_or((inside, ""));
    let mut lines: Vec<String> = lines
        .lines()
        .map(|line| {
            let line = line.trim();
            line.strip_prefix("* ").or_else(|| line.strip_prefix('*')).unwrap_or(line).to_owned()
        })
        .collect();
    if lines.first().is_some_and(String::is_empty) {
        lines.remove(0);
    }
    if lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    // An empty line of ours ends a comment.
    Some((lines.into_iter().map(|line| if line.is_empty() { " ".to_owned() } else { line }).collect(), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_belongs_to_its_line_or_to_what_follows() {
        let gap = Gap::read(" # of the first\n\n  // one\n  # two\n  ", false);
        assert_eq!(gap.after.as_deref(), Some("of the first"));
        assert_eq!(gap.before, ["", "one", "two"]);
    }

    #[test]
    fn at_the_start_of_a_file_all_lines_belong_to_what_follows() {
        let gap = Gap::read("# Licence\n\n/*\n * Several\n *\n * lines\n */\n", true);
        assert_eq!(gap.after, None);
        assert_eq!(gap.before, ["Licence", "", "Several", " ", "lines"]);
    }

    #[test]
    fn commas_and_blank_space_are_no_comment() {
        assert_eq!(Gap::read(" ,\n   ", false), Gap::default());
        assert_eq!(Gap::read(", # why\n", false).after.as_deref(), Some("why"));
    }
}
