//! "Did you mean …": the known name nearest to one that is not known.

/// The candidate a person most likely meant; `None` when none is near.
///
/// A third of the name may be wrong, a swap of neighbours counts once; a name
/// that merely begins like a candidate is near too (`postgres` for
/// `postgresql`).
pub(crate) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = name.to_lowercase();
    let allowed = (name.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let other = candidate.to_lowercase();
            let distance = strsim::damerau_levenshtein(&lower, &other);
            let begins = lower.len() >= 3 && (other.starts_with(&lower) || lower.starts_with(&other));
            (distance <= allowed || (begins && !other.is_empty())).then_some((distance, candidate))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// "a, b and c" with the given last word, for example `or`.
pub(crate) fn enumerate<'a>(names: impl IntoIterator<Item = &'a str>, last_word: &str) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    match names.split_last() {
        None => String::new(),
        Some((only, [])) => (*only).to_owned(),
        Some((last, others)) => format!("{} {last_word} {last}", others.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_finger_find_the_name_and_other_words_do_not() {
        let hosts = ["p620", "p510", "razer", "samsung"];
        assert_eq!(nearest("p602", hosts), Some("p620"));
        assert_eq!(nearest("Razor", hosts), Some("razer"));
        assert_eq!(nearest("sam", hosts), Some("samsung"));
        assert_eq!(nearest("web", hosts), None);
        assert_eq!(nearest("adress", ["address", "user"]), Some("address"));
        assert_eq!(nearest("x", []), None);
    }

    #[test]
    fn names_are_listed_as_in_a_sentence() {
        assert_eq!(enumerate(["a", "b", "c"], "or"), "a, b or c");
        assert_eq!(enumerate(["a"], "or"), "a");
        assert_eq!(enumerate([], "or"), "");
    }
}
