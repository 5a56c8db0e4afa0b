//! Operators, steps, calls and the other terms.

use std::sync::Arc;

use terrane_model::{Kind, Number, Type, Value};

use super::{Names, Parsed, Parser};
use crate::ast::{BinaryOperator, Call, Conditional, Expr, Node, Postfix, PostfixStep, UnaryOperator};

/// Operators and how tightly they bind. An operator stands before those whose text it begins with.
const OPERATORS: [(&str, u8, BinaryOperator); 13] = [
    ("||", 1, BinaryOperator::Or),
    ("&&", 2, BinaryOperator::And),
    ("==", 3, BinaryOperator::Equal),
    ("!=", 3, BinaryOperator::NotEqual),
    ("<=", 4, BinaryOperator::LessOrEqual),
    (">=", 4, BinaryOperator::GreaterOrEqual),
    ("<", 4, BinaryOperator::Less),
    (">", 4, BinaryOperator::Greater),
    ("+", 5, BinaryOperator::Add),
    ("-", 5, BinaryOperator::Subtract),
    ("*", 6, BinaryOperator::Multiply),
    ("/", 6, BinaryOperator::Divide),
    ("%", 6, BinaryOperator::Remainder),
];

/// The start of a term.
enum Term<'t> {
    Expr(Expr),
    /// A name that nothing here binds.
    Name(&'t str),
}

impl<'t> Parser<'t> {
    pub(super) fn expression(&mut self) -> Parsed<Expr> {
        self.deeper(Parser::conditional)
    }

    fn conditional(&mut self) -> Parsed<Expr> {
        self.skip();
        let start = self.at;
        let condition = self.operation(1)?;
        self.skip();
        if !self.eat("?") {
            return Ok(condition);
        }
        let yes = self.expression()?;
        self.skip();
        if !self.eat(":") {
            return Err(self.error_here(
                "missing-alternative",
                "Missing alternative of a condition",
                format!("`condition ? a : b` needs a `:` here and what to take when the condition is false; there is {}.", self.found()),
            ));
        }
        let no = self.expression()?;
        let conditional = Conditional { condition, yes, no };
        Ok(Expr::new(Node::Conditional(Box::new(conditional)), self.span_from(start)))
    }

    /// Operands joined by operators that bind at least so tightly.
    fn operation(&mut self, tightness: u8) -> Parsed<Expr> {
        self.skip();
        let start = self.at;
        let mut first = self.unary()?;
        let mut chain: Vec<(BinaryOperator, Expr)> = Vec::new();
        let mut level = u8::MAX;
        loop {
            let before = self.at;
            self.skip();
            let found = OPERATORS.iter().find(|(text, ..)| self.looking_at(text));
            let Some((text, tight, operator)) = found.filter(|(_, tight, _)| *tight >= tightness) else {
                self.at = before;
                break;
            };
            if *tight != level && !chain.is_empty() {
                let end = self.at;
                self.at = before;
                let span = self.span_from(start);
                self.at = end;
                first = Expr::new(Node::Binary(Box::new(first), std::mem::take(&mut chain).into()), span);
            }
            level = *tight;
            self.at += text.len();
            chain.push((*operator, self.operation(tight + 1)?));
        }
        if chain.is_empty() {
            return Ok(first);
        }
        Ok(Expr::new(Node::Binary(Box::new(first), chain.into()), self.span_from(start)))
    }

    fn unary(&mut self) -> Parsed<Expr> {
        self.skip();
        let start = self.at;
        let operator = match self.byte() {
            Some(b'-') => UnaryOperator::Negate,
            Some(b'!') if !self.looking_at("!=") => UnaryOperator::Not,
            _ => return self.term(),
        };
        self.at += 1;
        let operand = self.deeper(Parser::unary)?;
        let span = self.span_from(start);
        if let (UnaryOperator::Negate, Some(Kind::Number(number))) =
            (operator, operand.as_literal().map(Value::kind))
        {
            return Ok(Expr::literal(Value::number(-number.clone()), span));
        }
        Ok(Expr::new(Node::Unary(operator, Box::new(operand)), span))
    }

    /// A term and the steps behind it.
    fn term(&mut self) -> Parsed<Expr> {
        let start = self.at;
        let term = self.term_start()?;
        let name_end = self.at;
        let mut steps = Vec::new();
        self.steps(&mut steps)?;
        let base = match term {
            Term::Expr(base) => base,
            Term::Name(name) => {
                let name_span = self.origin.span(start, name_end);
                self.reference(name, name_span, &mut steps)
            }
        };
        if steps.is_empty() {
            return Ok(base);
        }
        Ok(Expr::new(Node::Steps(Box::new(base), steps.into()), self.span_from(start)))
    }

    fn term_start(&mut self) -> Parsed<Term<'t>> {
        let start = self.at;
        let expr = match self.byte() {
            Some(b'(') => {
                self.at += 1;
                let inner = self.with_lines(false, |p| {
                    let inner = p.expression()?;
                    p.skip();
                    p.expect(")", "unclosed-parenthesis", "Unclosed parenthesis", "the parenthesis")?;
                    Ok(inner)
                })?;
                Expr { span: self.span_from(start), ..inner }
            }
            Some(b'"') => self.quoted_template()?,
            Some(b'[') => self.array()?,
            Some(b'{') => self.object()?,
            Some(b'0'..=b'9') => self.number()?,
            Some(b'<') if self.looking_at("<<") => self.deeper(Parser::heredoc)?,
            _ => return self.name_or_call(),
        };
        Ok(Term::Expr(expr))
    }

    /// Eats a closing bracket.
    pub(super) fn expect(
        &mut self,
        close: &str,
        code: &'static str,
        summary: &'static str,
        what: &str,
    ) -> Parsed<()> {
        if self.eat(close) {
            return Ok(());
        }
        let detail = format!("A `{close}` is expected here to close {what}; there is {}.", self.found());
        Err(self.error_here(code, summary, detail))
    }

    fn number(&mut self) -> Parsed<Expr> {
        let start = self.at;
        self.digits();
        if self.byte() == Some(b'.') && self.rest().as_bytes().get(1).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
            self.digits();
        }
        if matches!(self.byte(), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(self.rest().as_bytes().get(1), Some(b'+' | b'-')));
            if self.rest().as_bytes().get(1 + sign).is_some_and(u8::is_ascii_digit) {
                self.at += 1 + sign;
                self.digits();
            }
        }
        let text = self.text.get(start..self.at).unwrap_or("");
        match text.parse::<Number>() {
            Ok(number) => Ok(Expr::literal(Value::number(number), self.span_from(start))),
            Err(_) => {
                self.at = start;
                Err(self.error_here(
                    "number-out-of-range",
                    "Number out of range",
                    "This number has too many digits, or its exponent is too large.",
                ))
            }
        }
    }

    fn digits(&mut self) {
        let rest = self.rest();
        self.at += rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    }

    fn name_or_call(&mut self) -> Parsed<Term<'t>> {
        let start = self.at;
        let Some(name) = self.identifier() else { return Err(self.no_expression()) };
        while self.looking_at("::") {
            self.at += 2;
            if self.identifier().is_none() {
                return Err(self.error_here(
                    "invalid-function-name",
                    "Invalid function name",
                    "A name is expected behind `::`.",
                ));
            }
        }
        let name_end = self.at;
        let whole_name = self.text.get(start..name_end).unwrap_or(name);
        self.skip();
        if self.byte() == Some(b'(') {
            return self.call(whole_name, start, name_end).map(Term::Expr);
        }
        self.at = name_end;
        if whole_name.len() > name.len() {
            return Err(self.error_here(
                "missing-arguments",
                "Missing arguments of a function",
                format!("`{whole_name}` can only be the name of a function; its arguments in parentheses are expected here."),
            ));
        }
        let literal = match name {
            "true" => Value::bool(true),
            "false" => Value::bool(false),
            "null" => Value::null(Type::Any),
            _ if self.names == Names::Given || self.bound.iter().any(|b| &**b == name) => {
                let variable = Node::Variable(Arc::from(name));
                return Ok(Term::Expr(Expr::new(variable, self.span_from(start))));
            }
            _ => return Ok(Term::Name(name)),
        };
        Ok(Term::Expr(Expr::literal(literal, self.span_from(start))))
    }

    fn no_expression(&self) -> Box<terrane_model::Diagnostic> {
        let detail = match self.peek() {
            Some('\'') => {
                "Text stands in double quotes, not in single ones. Inside a TOML string in double quotes they are \
                 written `\\\"`; a TOML string in single quotes needs no escapes."
                    .into()
            }
            Some('.') if self.rest().as_bytes().get(1).is_some_and(u8::is_ascii_digit) => {
                "A number needs a digit before its decimal point.".into()
            }
            _ => format!("The start of an expression is expected here; there is {}.", self.found()),
        };
        self.error_here("invalid-expression", "Invalid expression", detail)
    }

    fn call(&mut self, name: &str, start: usize, name_end: usize) -> Parsed<Expr> {
        self.at += 1;
        let mut arguments = Vec::new();
        let mut expand_last = false;
        self.with_lines(false, |p| {
            loop {
                p.skip();
                if p.byte() == Some(b')') || expand_last {
                    return p.expect(")", "unclosed-call", "Unclosed call", "the arguments of the function");
                }
                arguments.push(p.expression()?);
                p.skip();
                expand_last = p.eat("...");
                p.skip();
                if expand_last || p.eat(",") {
                    continue;
                }
                return p.expect(")", "unclosed-call", "Unclosed call", "the arguments of the function");
            }
        })?;
        let call = Call {
            name: name.strip_prefix("core::").unwrap_or(name).into(),
            name_span: self.origin.span(start, name_end),
            arguments: arguments.into(),
            expand_last,
        };
        Ok(Expr::new(Node::Call(Box::new(call)), self.span_from(start)))
    }

    /// The steps from here on: `.name`, `[index]`, `[*]`, `.*`.
    fn steps(&mut self, steps: &mut Vec<Postfix>) -> Parsed<()> {
        loop {
            let before = self.at;
            self.skip();
            let start = self.at;
            match self.byte() {
                Some(b'.') if !self.looking_at("...") => {
                    self.at += 1;
                    self.skip();
                    self.dot_step(start, steps)?;
                }
                Some(b'[') => {
                    self.at += 1;
                    if self.with_lines(false, |p| p.bracket_step(start, steps))? {
                        return Ok(());
                    }
                }
                _ => {
                    self.at = before;
                    return Ok(());
                }
            }
        }
    }

    /// What follows a dot.
    fn dot_step(&mut self, start: usize, steps: &mut Vec<Postfix>) -> Parsed<()> {
        if self.eat("*") {
            let mut each = Vec::new();
            while self.byte() == Some(b'.') && !self.looking_at("...") {
                let start = self.at;
                self.at += 1;
                if self.byte() == Some(b'*') {
                    return Err(self.error_here(
                        "nested-splat",
                        "Nested splat",
                        "A `.*` can't stand behind another one. Use `[*]`.",
                    ));
                }
                self.attribute_step(start, &mut each, true)?;
            }
            let splat = PostfixStep::Splat(each.into());
            steps.push(Postfix { step: splat, span: self.span_from(start) });
            return Ok(());
        }
        self.attribute_step(start, steps, false)
    }

    /// A name or, in the old form, an index behind a dot.
    fn attribute_step(&mut self, start: usize, steps: &mut Vec<Postfix>, in_splat: bool) -> Parsed<()> {
        let word = self.at;
        if let Some(name) = self.identifier() {
            let step = PostfixStep::Attribute(name.into());
            steps.push(Postfix { step, span: self.span_from(start) });
            return Ok(());
        }
        self.digits();
        let digits = self.text.get(word..self.at).unwrap_or("");
        let Ok(index) = digits.parse::<Number>() else {
            return Err(self.error_here(
                "invalid-attribute-name",
                "Invalid attribute name",
                format!("The name of an attribute is expected behind the dot; there is {}.", self.found()),
            ));
        };
        let more = self.rest().as_bytes();
        if !in_splat && more.first() == Some(&b'.') && more.get(1).is_some_and(u8::is_ascii_digit) {
            return Err(self.error_here(
                "invalid-index",
                "Two indexes behind dots",
                "Two indexes in this form read as one fraction. Write `[0][1]` instead of `.0.1`.",
            ));
        }
        let span = self.span_from(start);
        let step = PostfixStep::Index(Expr::literal(Value::number(index), span));
        steps.push(Postfix { step, span });
        Ok(())
    }

    /// What follows an opening bracket. A splat takes all steps behind it; then there are no more.
    fn bracket_step(&mut self, start: usize, steps: &mut Vec<Postfix>) -> Parsed<bool> {
        self.skip();
        let before = self.at;
        if self.eat("*") {
            self.skip();
            if self.eat("]") {
                let span = self.span_from(start);
                let mut each = Vec::new();
                self.deeper(|p| p.steps(&mut each))?;
                steps.push(Postfix { step: PostfixStep::Splat(each.into()), span });
                return Ok(true);
            }
            self.at = before;
        }
        let index = self.expression()?;
        self.skip();
        self.expect("]", "unclosed-index", "Unclosed index", "the index")?;
        steps.push(Postfix { step: PostfixStep::Index(index), span: self.span_from(start) });
        Ok(false)
    }
}
