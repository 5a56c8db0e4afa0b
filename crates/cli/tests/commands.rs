//! docs/commands.md names every command and every flag.

use std::fs;
use std::path::Path;

use crate::stack::Stack;

/// The names of the commands in a help text, and of its flags.
fn named(help: &str) -> (Vec<String>, Vec<String>) {
    let mut commands = Vec::new();
    let mut flags = Vec::new();
    let mut in_commands = false;
    for line in help.lines() {
        if !line.starts_with(' ') {
            in_commands = line == "Commands:";
        }
        let words = line.split_whitespace().next();
        match words {
            Some(name) if in_commands && line.starts_with("  ") && !line.starts_with("   ") => {
                commands.push(name.to_owned());
            }
            Some(word) if word.starts_with('-') && line.len() - line.trim_start().len() <= 6 => {
                let flag =
                    |word: &str| word.trim_end_matches(',').split(['[', '=']).next().unwrap().to_owned();
                let all = line.split_whitespace().take_while(|word| word.starts_with('-'));
                flags.extend(all.map(flag));
            }
            _ => {}
        }
    }
    (commands, flags)
}

/// Every command below these words, with its flags.
fn below(stack: &Stack, words: &[&str], found: &mut Vec<(String, Vec<String>)>) {
    let help = stack.run(&[words, &["--help"]].concat());
    assert_eq!(help.code, Some(0), "{words:?}");
    let (commands, flags) = named(&help.out);
    found.push((words.join(" "), flags));
    for command in commands.iter().filter(|name| *name != "help") {
        below(stack, &[words, &[command]].concat(), found);
    }
}

#[test]
fn every_command_and_flag_is_documented() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/commands.md");
    let page = fs::read_to_string(page).unwrap();
    let mut found = Vec::new();
    below(&Stack::empty(), &[], &mut found);
    let commands: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    for known in ["plan", "apply", "state mv", "workspace new", "sandbox probe"] {
        assert!(commands.contains(&known), "{commands:?}");
    }
    let flags = |name: &str| &found.iter().find(|(found, _)| found == name).unwrap().1;
    assert!(flags("plan").contains(&"--detailed-exitcode".to_owned()), "{:?}", flags("plan"));
    let general = page.split("\n## ").nth(1).unwrap();
    let mut missing = Vec::new();
    for (name, flags) in &found {
        let first = name.split(' ').next().unwrap();
        let is_about =
            |section: &&str| section.lines().next().unwrap().split([' ', ',']).any(|word| word == first);
        let sections: Vec<&str> = page.split("\n## ").skip(2).filter(is_about).collect();
        if !name.is_empty()
            && (sections.is_empty() || (name.contains(' ') && !page.contains(&format!("`{name}"))))
        {
            missing.push(name.clone());
        }
        let is_named = |text: &str, flag: &str| {
            text.match_indices(flag).any(|(at, _)| text[at + flag.len()..].starts_with(['`', ' ', '=', ',']))
        };
        // What planning takes is said once.
        let plans = page.split("\n## ").find(|section| section.starts_with("plan\n")).unwrap();
        let words = |section: &&str| section.split_whitespace().collect::<Vec<_>>().join(" ");
        let refers = sections.iter().any(|s| words(s).contains("flags of every command that plans"));
        for flag in flags {
            let here = sections.iter().any(|section| is_named(section, flag));
            let version = ["--version", "-V"].contains(&flag.as_str());
            let said = here || is_named(general, flag) || version || (refers && is_named(plans, flag));
            if !said {
                missing.push(format!("{name} {flag}"));
            }
        }
    }
    assert!(missing.is_empty(), "docs/commands.md does not name {missing:#?}");
}
