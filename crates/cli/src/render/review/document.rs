//! What a review says, apart from how it is written: sections of blocks, each with how much it matters.
//!
//! Whoever has something to say about a plan adds a [`Section`]; text, Markdown and HTML are written from the same ones.

use terrane_model::Action;

/// Everything that is said about one plan.
#[derive(Clone, Debug, Default)]
pub struct Document {
    /// What it is called; also what tells one stack's comment from another's.
    pub title: String,
    /// The sentence that sums it up.
    pub totals: String,
    /// What stands before all sections and is never left out.
    pub lead: Vec<Block>,
    /// The sections in reading order.
    pub sections: Vec<Section>,
    /// What it was made from, behind all sections.
    pub closing: Vec<Vec<Inline>>,
    /// How to see what had to be left out.
    pub whole: Vec<Inline>,
}

/// What belongs together under a heading.
#[derive(Clone, Debug)]
pub struct Section {
    /// Names it in links and for filters; letters and hyphens.
    pub id: &'static str,
    /// The heading.
    pub title: String,
    /// Which sections give way first where there is no room for all.
    pub importance: Importance,
    /// The part of all room that it may take at most, in percent.
    pub share: usize,
    /// What it says.
    pub blocks: Vec<Block>,
}

/// How much something matters. What matters least is left out first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Importance {
    /// Good to know.
    Low,
    /// Part of the picture.
    Middle,
    /// Needed for a judgement.
    High,
    /// A judgement without it would be wrong.
    Vital,
}

/// How something is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// It is so.
    #[expect(dead_code, reason = "for sections of others")]
    Note,
    /// All is well.
    #[expect(dead_code, reason = "for sections of others")]
    Good,
    /// Look at it.
    Warning,
    /// Something is lost, or wrong.
    Danger,
}

/// A part of a section.
#[derive(Clone, Debug)]
pub enum Block {
    /// A sentence or more.
    Paragraph(Vec<Inline>),
    /// Sentences that stand out, each on a line of its own.
    Notice(Tone, Vec<Vec<Inline>>),
    /// Points.
    List(Vec<Vec<Inline>>),
    /// Rows under a head.
    Table(Table),
    /// Lines as they are, each with what becomes of it.
    Lines(Vec<Line>),
    /// Something that can be opened.
    Folded(Folded),
}

/// Rows under a head.
#[derive(Clone, Debug)]
pub struct Table {
    /// The head; as many as each row has cells.
    pub head: Vec<&'static str>,
    /// The rows.
    pub rows: Vec<Row>,
}

/// A row of a table.
#[derive(Clone, Debug)]
pub struct Row {
    /// The action that it is about, for filters and for what gives way first.
    pub action: Option<Action>,
    /// What it is called where it had to be left out.
    pub name: String,
    /// The cells.
    pub cells: Vec<Vec<Inline>>,
}

/// Something that can be opened.
#[derive(Clone, Debug)]
pub struct Folded {
    /// What links lead to; letters, digits and hyphens.
    pub id: String,
    /// The action that it is about, for filters and for what gives way first.
    pub action: Option<Action>,
    /// What it is called where it had to be left out.
    pub name: String,
    /// What is seen when it is closed.
    pub summary: Vec<Inline>,
    /// What is seen when it is open.
    pub blocks: Vec<Block>,
}

/// A line with what becomes of it: create, delete, update or nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What becomes of it.
    pub action: Action,
    /// The text, without line breaks.
    pub text: String,
}

/// A piece of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inline {
    /// Words.
    Text(String),
    /// Words that matter.
    Strong(String),
    /// What a user or AWS named.
    Code(String),
    /// An object that is told more about elsewhere in the document.
    Link {
        /// What it is called.
        name: String,
        /// The [`Folded::id`] that tells more.
        to: String,
    },
    /// An action, as a word that stands out.
    Action(Action),
}

impl Inline {
    /// Words.
    pub fn text(text: impl Into<String>) -> Inline {
        Inline::Text(text.into())
    }

    /// What a user or AWS named.
    pub fn code(text: impl Into<String>) -> Inline {
        Inline::Code(text.into())
    }
}

/// A sentence in which user text stands in backticks, as in diagnostics.
pub fn prose(text: &str) -> Vec<Inline> {
    let parts: Vec<&str> = text.split('`').collect();
    // Without a partner a backtick is one like any other letter.
    if parts.len().is_multiple_of(2) {
        return vec![Inline::text(text)];
    }
    let inline = |(i, part): (usize, &str)| match i % 2 {
        0 => Inline::text(part),
        _ => Inline::code(part),
    };
    parts.into_iter().enumerate().filter(|(_, part)| !part.is_empty()).map(inline).collect()
}

/// Texts with a sign in the first column as lines.
pub fn lines(text: &str) -> Vec<Line> {
    let one = |line: &str| {
        let mut rest = line.chars();
        let action = match rest.next() {
            Some('+') => Action::Create,
            Some('-') => Action::Delete,
            Some('!') => Action::Update,
            _ => Action::NoOp,
        };
        Line { action, text: rest.as_str().to_owned() }
    };
    text.lines().map(one).collect()
}

/// Which actions a reviewer looks at first: what can't be undone.
pub fn rank(action: Option<Action>) -> u8 {
    match action {
        Some(Action::Delete) => 7,
        Some(Action::DeleteThenCreate) => 6,
        Some(Action::CreateThenDelete) => 5,
        Some(Action::Forget) => 4,
        None => 3,
        Some(Action::Update) => 2,
        Some(Action::Create) => 1,
        Some(Action::Read | Action::NoOp) => 0,
    }
}

/// What an action is called.
pub fn word(action: Action) -> &'static str {
    match action {
        // An object with which nothing happens is told of only where it got another address.
        Action::NoOp => "move",
        Action::Create => "create",
        Action::Read => "read",
        Action::Update => "update",
        Action::DeleteThenCreate | Action::CreateThenDelete => "replace",
        Action::Delete => "destroy",
        Action::Forget => "forget",
    }
}

/// A text of at most so many characters, with its middle left out where it is longer.
pub fn shortened(text: &str, most: usize) -> String {
    let count = text.chars().count();
    if count <= most {
        return text.to_owned();
    }
    let half = most.saturating_sub(1) / 2;
    let head: String = text.chars().take(half).collect();
    let tail: String = text.chars().skip(count - half).collect();
    format!("{head}…{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_keeps_user_text_apart() {
        let wanted = [Inline::text("There is no "), Inline::code("a"), Inline::text(".")];
        assert_eq!(prose("There is no `a`."), wanted);
        assert_eq!(prose("one ` only"), [Inline::text("one ` only")]);
        assert_eq!(prose("`x`"), [Inline::code("x")]);
    }

    #[test]
    fn long_texts_lose_their_middle() {
        assert_eq!(shortened("abc", 3), "abc");
        assert_eq!(shortened("abcdefgh", 5), "ab…gh");
        assert_eq!(shortened("äöüäöüäöü", 4), "ä…ü");
    }

    #[test]
    fn the_first_column_is_what_becomes_of_a_line() {
        let all = lines("+ a\n- b\n! c\n  d\n");
        let actions: Vec<Action> = all.iter().map(|line| line.action).collect();
        assert_eq!(actions, [Action::Create, Action::Delete, Action::Update, Action::NoOp]);
        assert_eq!(all[1].text, " b");
    }
}
