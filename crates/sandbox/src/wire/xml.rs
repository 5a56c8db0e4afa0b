//! Writes the XML of the query protocol's answers.

use std::fmt::Display;

/// The inside of a result element under construction.
#[derive(Debug, Default)]
pub(crate) struct Xml(String);

impl Xml {
    pub(crate) fn new() -> Xml {
        Xml::default()
    }

    /// `<name>value</name>`.
    pub(crate) fn text(&mut self, name: &str, value: impl Display) -> &mut Xml {
        self.element(name, |xml| escape(&value.to_string(), &mut xml.0))
    }

    /// The same, if there is a value.
    pub(crate) fn optional(&mut self, name: &str, value: Option<impl Display>) -> &mut Xml {
        if let Some(value) = value {
            self.text(name, value);
        }
        self
    }

    /// `<name>...</name>` with what `inside` writes.
    pub(crate) fn element(&mut self, name: &str, inside: impl FnOnce(&mut Xml)) -> &mut Xml {
        for part in ["<", name, ">"] {
            self.0.push_str(part);
        }
        inside(self);
        for part in ["</", name, ">"] {
            self.0.push_str(part);
        }
        self
    }

    /// What was written apart.
    pub(crate) fn add(&mut self, other: &Xml) {
        self.0.push_str(&other.0);
    }

    /// `<name>...</name>` around what was written apart, for writers that can fail.
    pub(crate) fn raw(&mut self, name: &str, inside: Xml) -> &mut Xml {
        self.element(name, |xml| xml.0.push_str(&inside.0))
    }

    /// `<name><member>...</member>...</name>`.
    pub(crate) fn list<T>(
        &mut self,
        name: &str,
        items: &[T],
        mut inside: impl FnMut(&mut Xml, &T),
    ) -> &mut Xml {
        self.element(name, |xml| {
            for item in items {
                xml.element("member", |xml| inside(xml, item));
            }
        })
    }

    /// A list of texts.
    pub(crate) fn texts(&mut self, name: &str, items: &[String]) -> &mut Xml {
        self.list(name, items, |xml, item| escape(item, &mut xml.0))
    }

    pub(crate) fn into_text(self) -> String {
        self.0
    }
}

/// Writes text so that it can stand in an element; characters that XML cannot hold become U+FFFD.
pub(super) fn escape(text: &str, into: &mut String) {
    for character in text.chars() {
        match character {
            '&' => into.push_str("&amp;"),
            '<' => into.push_str("&lt;"),
            '>' => into.push_str("&gt;"),
            '\r' => into.push_str("&#xD;"),
            '\t' | '\n' => into.push(character),
            other if (other as u32) < 0x20 => into.push('\u{FFFD}'),
            other => into.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_nest_and_text_is_escaped() {
        let mut xml = Xml::new();
        xml.text("Name", "a<&>b\u{1}").optional("None", None::<u32>).optional("Some", Some(3));
        xml.texts("List", &["x".to_owned(), "y".to_owned()]).list("Pairs", &[(1, 2)], |xml, (a, b)| {
            xml.text("A", a).text("B", b);
        });
        assert_eq!(
            xml.into_text(),
            "<Name>a&lt;&amp;&gt;b\u{FFFD}</Name><Some>3</Some><List><member>x</member><member>y</member></List>\
             <Pairs><member><A>1</A><B>2</B></member></Pairs>"
        );
    }
}
