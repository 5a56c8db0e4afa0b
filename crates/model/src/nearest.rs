//! Did you mean: the name nearest to a misspelt one.

/// The candidate with the smallest edit distance, when it is near enough to be meant.
///
/// Near enough: at most a third of the length of `name` (at least 1, at most 4) in single-character edits.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (name.chars().count() / 3).clamp(1, 4);
    candidates.into_iter().map(|c| (distance(name, c), c)).filter(|(d, _)| *d <= limit).min().map(|(_, c)| c)
}

/// How many instances are named where one is to be chosen.
const SHOWN: usize = 5;

/// A sentence, with a space before it, about what an address that stands for nothing was probably meant to be: one of the
/// instances where it names a resource that has several, or what is called nearly so. Empty where that is nothing.
pub fn meant<'a>(address: &str, there: impl IntoIterator<Item = &'a str> + Clone) -> String {
    let is_instance = |name: &&str| name.strip_prefix(address).is_some_and(|key| key.starts_with('['));
    let mut instances = there.clone().into_iter().filter(is_instance);
    let shown: Vec<String> = instances.by_ref().take(SHOWN).map(|name| format!("`{name}`")).collect();
    if !shown.is_empty() {
        let more = if instances.next().is_some() { ", …" } else { "" };
        return format!(" There are {}{more}: name one of them.", shown.join(", "));
    }
    nearest(address, there).map(|near| format!(" Did you mean `{near}`?")).unwrap_or_default()
}

/// Insertions, deletions, changes and swaps of neighbours that lead from one text to the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(200).collect();
    let mut before: Option<(char, Vec<usize>)> = None;
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(200).enumerate() {
        let mut next = Vec::with_capacity(row.len());
        let mut left = i + 1;
        next.push(left);
        for (j, ((y, up_left), up)) in b.iter().zip(&row).zip(row.iter().skip(1)).enumerate() {
            left = (up_left + usize::from(x != *y)).min(up + 1).min(left + 1);
            if let (Some((previous, above)), Some(k)) = (&before, j.checked_sub(1))
                && previous == y
                && b.get(k) == Some(&x)
                && let Some(corner) = above.get(k)
            {
                left = left.min(corner + 1);
            }
            next.push(left);
        }
        before = Some((x, std::mem::replace(&mut row, next)));
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_without_a_key_means_one_of_its_instances() {
        let there = ["a.t[0]", "a.t[1]", "a.u"];
        assert_eq!(meant("a.t", there), " There are `a.t[0]`, `a.t[1]`: name one of them.");
        assert_eq!(meant("a.t[2]", there), " Did you mean `a.t[0]`?");
        assert_eq!(meant("a.u[0]", ["b.x"]), "");
        let many: Vec<String> = (0..6).map(|i| format!("a.t[{i}]")).collect();
        assert!(meant("a.t", many.iter().map(String::as_str)).ends_with("`a.t[4]`, …: name one of them."));
    }

    #[test]
    fn offers_only_near_names() {
        let names = ["read_capacity", "write_capacity", "hash_key"];
        assert_eq!(nearest("read_capcity", names), Some("read_capacity"));
        assert_eq!(nearest("hashkey", names), Some("hash_key"));
        assert_eq!(nearest("colour", names), None);
        assert_eq!(nearest("nmae", ["name", "node"]), Some("name"), "a swap is one slip");
        assert_eq!(distance("abcdef", "badcfe"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(nearest("", names), None);
    }
}
