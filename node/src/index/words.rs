//! The words of a text, as search compares them: in compatibility form, without marks above and below letters, in
//! small letters. Whoever writes "Älter" finds "alter", and the other way round. A character of a script without
//! spaces is a word by itself.

use icu_normalizer::DecomposingNormalizerBorrowed;
use std::collections::BTreeSet;
use weft_types::{Collection, NewEdition};

/// Bytes of a word; what is longer counts by its beginning.
pub const WORD_BYTES_MAX: usize = 48;
/// Words that an object is found by, the first ones.
pub const WORDS_MAX: usize = 24;

/// The first words of the texts.
pub fn words<'a>(texts: impl IntoIterator<Item = &'a str>, most: usize) -> BTreeSet<String> {
    let nfkd = DecomposingNormalizerBorrowed::new_nfkd();
    let mut found = BTreeSet::new();
    for text in texts {
        let mut word = String::new();
        let characters = nfkd.normalize_iter(text.chars());
        for character in characters.filter(|c| !is_mark(*c)).chain([' ']) {
            let alone = is_word(character);
            if (alone || !character.is_alphanumeric()) && !word.is_empty() {
                found.insert(std::mem::take(&mut word));
            }
            if found.len() >= most {
                return found;
            }
            if character.is_alphanumeric() {
                for small in character.to_lowercase() {
                    if word.len() + small.len_utf8() <= WORD_BYTES_MAX {
                        word.push(small);
                    }
                }
            }
            if alone {
                found.insert(std::mem::take(&mut word));
            }
        }
    }
    found
}

pub fn words_of_collection(collection: &Collection) -> BTreeSet<String> {
    let texts = [&collection.name[..], &collection.description];
    words(texts, WORDS_MAX)
}

pub fn words_of_edition(terms: &NewEdition) -> BTreeSet<String> {
    let values = terms.traits.iter().map(|t| &t.value[..]);
    words(std::iter::once(&terms.name[..]).chain(values), WORDS_MAX)
}

/// Accents, and the marks of kana.
fn is_mark(character: char) -> bool {
    matches!(character, '\u{300}'..='\u{36f}' | '\u{3099}' | '\u{309a}')
}

/// Of Han and kana.
fn is_word(character: char) -> bool {
    matches!(character, '\u{3041}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
        && character.is_alphanumeric()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<String> {
        words([text], WORDS_MAX).into_iter().collect()
    }

    #[test]
    fn words_are_compared_without_case_accents_and_width() {
        assert_eq!(of("Älter als ALTER"), ["als", "alter"]);
        assert_eq!(of("Ａｌｔｅｒ ﬁre"), ["alter", "fire"]);
        assert_eq!(of("E\u{301}clair"), of("éclair"));
        assert_eq!(of("ガンダム"), of("カンタム"));
        assert_eq!(of("No. 7/10 — (foil)"), ["10", "7", "foil", "no"]);
    }

    #[test]
    fn a_character_of_a_script_without_spaces_is_a_word() {
        assert_eq!(of("卡片A1"), ["a1", "卡", "片"]);
    }

    #[test]
    fn words_are_bounded_in_number_and_length() {
        let many = (0..1_000).map(|n| format!("w{n} ")).collect::<String>();
        assert_eq!(of(&many).len(), WORDS_MAX);
        for long in ["x".repeat(500), "ж".repeat(300)] {
            let word = of(&long).remove(0);
            assert!(word.len() <= WORD_BYTES_MAX, "{}", word.len());
        }
        assert_eq!(of("  \u{0}\u{301} ..").len(), 0);
    }
}
