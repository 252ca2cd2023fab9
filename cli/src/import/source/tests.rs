use super::*;

fn read(name: &str, text: &[u8]) -> Vec<Result<Row, Refusal>> {
    let path = Path::new(name);
    rows(path, text, Format::guess(path, text), b',').unwrap()
}

fn fields(pairs: &[(&str, &str)]) -> Fields {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    pairs.iter().map(own).collect()
}

#[test]
fn elements_of_an_array_know_their_lines_and_numbers() {
    let text = "[\n  {\"name\": \"Flabébé\"}, {\"name\": \"Mew\",\n\"n\": 2},\n\n {\"name\": \"[{,\\\"\"}\n]\n";
    let rows = read("cards.json", text.as_bytes());
    let lines: Vec<u64> = rows
        .iter()
        .map(|r| r.as_ref().unwrap().place.line)
        .collect();
    assert_eq!(lines, [2, 2, 5]);
    let third = rows[2].as_ref().unwrap().place;
    assert_eq!(third.to_string(), "entry 3, line 5");
    let first = rows[0].as_ref().unwrap();
    assert_eq!(first.fields, fields(&[("name", "Flabébé")]));
}

#[test]
fn nested_fields_lists_and_nulls_become_a_flat_table() {
    let text = r#"[{"name": {"en": "Mew", "ja": "ミュウ"}, "packs": ["A", 2, true], "none": null,
        "empty": "", "list": [], "art": [{"url": "a.webp"}, {"url": "b.webp"}]}]"#;
    let rows = read("x", text.as_bytes());
    let expected = [
        ("art.0.url", "a.webp"),
        ("art.1.url", "b.webp"),
        ("name.en", "Mew"),
        ("name.ja", "ミュウ"),
        ("packs", "A, 2, true"),
    ];
    assert_eq!(rows[0].as_ref().unwrap().fields, fields(&expected));
}

#[test]
fn what_is_no_card_spoils_no_other() {
    let rows = read("x.json", b"[{\"a\": 1},\n 7,\n{\"a\": 2}]");
    assert!(rows[0].is_ok() && rows[2].is_ok());
    let refusal = rows[1].as_ref().unwrap_err();
    assert_eq!(
        (refusal.place.line, refusal.reason.as_str()),
        (2, "is no JSON object")
    );

    // On a single line the number alone says which.
    let rows = read("x.json", b"[{\"a\": 1}, 7]");
    let refusal = rows[1].as_ref().unwrap_err();
    assert_eq!(refusal.to_string(), "entry 2 is no JSON object");

    let rows = read("x.jsonl", b"{\"a\": 1}\n\n{\"a\": \n{\"a\": 2}\n");
    let lines: Vec<_> = rows
        .iter()
        .map(|r| r.as_ref().map_or_else(|e| e.place.line, |r| r.place.line))
        .collect();
    assert_eq!(lines, [1, 3, 4]);
    assert!(
        rows[1]
            .as_ref()
            .unwrap_err()
            .reason
            .starts_with("is no JSON")
    );
}

#[test]
fn a_file_that_is_broken_as_a_whole_is_refused_with_the_place() {
    for (name, text, words) in [
        ("x.json", &b"[{\"a\": 1},\n{\"a\" 2}]"[..], "line 2"),
        ("x.json", b"{\"a\": 1}", "array of objects"),
        ("x.json", b"[] x", "trailing"),
        ("x.json", b"[\n\"\xff\"]", "line 2 is no UTF-8"),
        ("x.json", b"", "EOF"),
    ] {
        let path = Path::new(name);
        let failure = rows(path, text, Format::Json, b',').unwrap_err();
        assert!(failure.message.contains(words), "{}", failure.message);
    }
}

#[test]
fn csv_has_a_heading_and_quoted_fields() {
    let text = "\u{feff}id,name,note\n1,\"Nidoran♀, her\",\"two\nlines\"\n2,Mew\n3, Farfetch’d ,\n";
    let rows = read("cards.csv", text.as_bytes());
    let first = rows[0].as_ref().unwrap();
    let expected = [
        ("id", "1"),
        ("name", "Nidoran♀, her"),
        ("note", "two\nlines"),
    ];
    assert_eq!((first.place.line, &first.fields), (2, &fields(&expected)));
    let short = rows[1].as_ref().unwrap_err();
    assert_eq!(
        (short.place.line, short.reason.as_str()),
        (4, "has 2 fields, the heading has 3")
    );
    let last = rows[2].as_ref().unwrap();
    assert_eq!(
        (last.place.line, &last.fields),
        (5, &fields(&[("id", "3"), ("name", "Farfetch’d")]))
    );
}

#[test]
fn a_field_that_is_no_utf_8_is_refused_by_name() {
    let rows = read("cards.csv", b"id,name\n1,\xff\n2,b\n");
    let refusal = rows[0].as_ref().unwrap_err();
    assert_eq!(
        (refusal.place.line, refusal.field.as_deref()),
        (2, Some("name"))
    );
    assert!(rows[1].is_ok());
}

fn csv_refused(text: &str) -> String {
    let read = rows(Path::new("x.csv"), text.as_bytes(), Format::Csv, b',');
    read.unwrap_err().message
}

#[test]
fn a_quote_that_never_closes_refuses_the_file_with_its_line() {
    let words = csv_refused("id,name\n1,Mew\n2,\"Abra\n3,Muk\n4,Onix\n");
    assert!(words.contains("line 3: a quote opens here and never closes"));
    assert!(words.contains("the rest of the file cannot be read"));
}

#[test]
fn a_heading_that_stands_twice_is_refused_with_its_columns() {
    let words = csv_refused("id,name, id\n1,Mew,2\n");
    assert!(
        words.contains("columns 1 and 3 have the same heading \"id\""),
        "{words}"
    );
    let words = csv_refused("id,\"na\"me\n1,Mew\n");
    assert!(
        words.contains("the heading, has text behind a closing quote"),
        "{words}"
    );
}

#[test]
fn csv_records_that_cannot_be_trusted_are_refused_alone() {
    let text = "id,name,,\n1,Mew,,\n2,Muk,,x\n3,\"a\"b\",,\n4,\"c\nd\"\n5,Abra,,\n";
    let rows = read("cards.csv", text.as_bytes());
    let refused = rows.iter().filter_map(|r| r.as_ref().err());
    let refused: Vec<String> = refused.map(ToString::to_string).collect();
    let expected = [
        "line 3 has a value in column 4, which has no heading",
        "line 4 has text behind a closing quote; a quote inside a quoted field is written twice",
        "line 5 reaches to line 6 and has 2 fields, the heading has 4",
    ];
    assert_eq!(refused, expected);
    assert!(rows[0].is_ok() && rows[4].is_ok());
}
