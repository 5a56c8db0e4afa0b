//! Colours, and whether there are any.

use anstyle::{AnsiColor, Style};

/// Colours text, or leaves it as it is. Everything reads well without colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Paint {
    on: bool,
}

/// What a piece of text is, as far as its looks depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Something comes.
    Add,
    /// Something changes.
    Change,
    /// Something goes.
    Remove,
    /// Something is read.
    Read,
    /// A heading.
    Strong,
    /// What may be passed over.
    Faint,
    /// An error.
    Error,
    /// A warning.
    Warning,
    /// All is well.
    Good,
}

impl Paint {
    /// With or without colours.
    pub fn new(on: bool) -> Paint {
        Paint { on }
    }

    /// Whether there are colours.
    pub fn is_on(self) -> bool {
        self.on
    }

    /// The text in a tone.
    pub fn tone(self, tone: Tone, text: &str) -> String {
        if !self.on || text.is_empty() {
            return text.to_owned();
        }
        let style = match tone {
            Tone::Add => AnsiColor::Green.on_default(),
            Tone::Good => AnsiColor::Green.on_default().bold(),
            Tone::Change => AnsiColor::Yellow.on_default(),
            Tone::Warning => AnsiColor::Yellow.on_default().bold(),
            Tone::Remove => AnsiColor::Red.on_default(),
            Tone::Error => AnsiColor::Red.on_default().bold(),
            Tone::Read => AnsiColor::Cyan.on_default(),
            Tone::Strong => Style::new().bold(),
            Tone::Faint => Style::new().dimmed(),
        };
        format!("{style}{text}{style:#}")
    }

    /// A heading.
    pub fn strong(self, text: &str) -> String {
        self.tone(Tone::Strong, text)
    }

    /// What may be passed over.
    pub fn faint(self, text: &str) -> String {
        self.tone(Tone::Faint, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_stays_and_empty_text_gets_no_codes() {
        assert_eq!(Paint::default().tone(Tone::Error, "x"), "x");
        assert_eq!(Paint::new(true).strong(""), "");
        assert_eq!(Paint::new(true).strong("x"), "\u{1b}[1mx\u{1b}[0m");
    }
}
