use super::super::plan::Place;
use super::*;

fn row(line: u64, pairs: &[(&str, &str)]) -> Row {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let fields = pairs.iter().map(own).collect();
    let place = Place::line(line);
    Row { place, fields }
}

fn rows() -> Vec<Row> {
    vec![
        row(
            2,
            &[
                ("set", "A1"),
                ("number", "1"),
                ("name", "Flabébé"),
                ("rarity", "C"),
                ("image", "a.webp"),
            ],
        ),
        row(
            9,
            &[
                ("set", "A2"),
                ("number", "1"),
                ("name", "Nidoran♀"),
                ("rarity", "U"),
            ],
        ),
    ]
}

fn find(map: &str, rows: &[Row]) -> Result<Mapping, String> {
    Mapping::find(map.parse().unwrap(), rows, 50)
}

fn edition(map: &str, row: &Row) -> Result<NewEdition, Refusal> {
    let mapping = find(map, std::slice::from_ref(row)).unwrap();
    mapping
        .edition(row, CollectionId([1; 32]))
        .map(|(edition, _)| edition)
}

fn traits(edition: &NewEdition) -> Vec<(&str, &str)> {
    let traits = edition.traits.iter();
    traits
        .map(|t| (t.name.as_str(), t.value.as_str()))
        .collect()
}

#[test]
fn the_usual_names_are_found() {
    let rows = rows();
    let mapping = find("", &rows).unwrap();
    assert_eq!(mapping.reference.to_string(), "{set}-{number}");
    let (edition, _) = mapping.edition(&rows[0], CollectionId([1; 32])).unwrap();
    assert_eq!((edition.name.as_str(), edition.cap), ("Flabébé", 50));
    assert_eq!(
        (edition.reference.as_str(), edition.image.as_str()),
        ("A1-1", "a.webp")
    );
    assert_eq!(
        traits(&edition),
        [("number", "1"), ("rarity", "C"), ("set", "A1")]
    );
}

#[test]
fn the_reference_is_a_field_of_that_name_or_a_template_that_tells_all_rows_apart_or_the_row() {
    let found = |a: &[(&str, &str)], b: &[(&str, &str)]| {
        let rows = [row(1, a), row(2, b)];
        find("", &rows).unwrap().reference.to_string()
    };
    let (mew, abra) = (("name", "Mew"), ("name", "Abra"));
    assert_eq!(found(&[("id", "1"), mew], &[("id", "1"), abra]), "id");
    assert_eq!(found(&[("id", "1"), mew], &[abra]), "id");
    let of = |set, number| [("set", set), ("number", number)];
    let print = |set, number| [&of(set, number)[..], &[mew]].concat();
    assert_eq!(found(&print("A", "1"), &print("A", "2")), "{set}-{number}");
    assert_eq!(found(&print("A", "1"), &print("A", "1")), "@row");
    assert_eq!(found(&print("A", "1"), &[abra]), "@row");
    for text in ["id", "{set}-{number}", "@row", "x{a}y{b}z"] {
        assert_eq!(text.parse::<Source>().unwrap().to_string(), text);
    }
}

#[test]
fn a_mapping_as_told_wins() {
    let map = "name=title,image=https://x/{set}/{image},cap=copies,reference={set}:{number},trait:Rarity=rarity";
    let card = row(
        3,
        &[
            ("title", "Mew"),
            ("name", "no"),
            ("set", "A1"),
            ("number", "7"),
            ("image", "m.webp"),
            ("copies", "12"),
            ("rarity", "C"),
            ("other", "x"),
        ],
    );
    let edition = edition(map, &card).unwrap();
    assert_eq!((edition.name.as_str(), edition.cap), ("Mew", 12));
    assert_eq!(edition.image, "https://x/A1/m.webp");
    assert_eq!(edition.reference, "A1:7");
    assert_eq!(traits(&edition), [("Rarity", "C")]);
}

#[test]
fn cards_without_a_cap_have_the_usual_one() {
    let rows = [
        row(2, &[("id", "1"), ("name", "Mew"), ("cap", "7")]),
        row(3, &[("id", "2"), ("name", "Muk")]),
    ];
    for map in ["", "cap=cap"] {
        let mapping = find(map, &rows).unwrap();
        assert!(mapping.describe().contains("cap: cap, else 50"));
        let caps = rows.each_ref().map(|row| {
            let (edition, _) = mapping.edition(row, CollectionId::ZERO).unwrap();
            edition.cap
        });
        assert_eq!(caps, [7, 50]);
    }
}

#[test]
fn a_mapping_that_cannot_be_is_refused() {
    for (map, words) in [
        ("name", "TARGET=FIELD"),
        ("nam=x", "none of name"),
        ("name=", "missing"),
        ("name=a,name=b", "twice"),
        ("trait:=a", "names no trait"),
        ("name={a", "braces"),
        ("name=a}", "braces"),
        ("name={}", "braces"),
        ("name={a{b}", "braces"),
    ] {
        let error = map.parse::<Wanted>().unwrap_err();
        assert!(error.contains(words), "{map}: {error}");
    }
    let error = find("name=titel", &rows()).unwrap_err();
    assert!(
        error.contains("\"titel\"") && error.contains("rarity"),
        "{error}"
    );
    let error = find("", &[row(1, &[("x", "1")])]).unwrap_err();
    assert!(error.contains("--map name=FIELD"), "{error}");
}

#[test]
fn a_row_that_does_not_fit_is_refused_with_line_field_and_reason() {
    let long = "x".repeat(NAME_BYTES_MAX + 1);
    let refused = |map: &str, pairs: &[(&str, &str)], field: &str, reason: &str| {
        let refusal = edition(map, &row(7, pairs)).unwrap_err();
        assert_eq!(
            (refusal.place.line, refusal.field.as_deref()),
            (7, Some(field))
        );
        assert!(refusal.reason.contains(reason), "{}", refusal.reason);
    };
    refused(
        "",
        &[("id", "1"), ("name", &long)],
        "name",
        "has 129 bytes, more than 128",
    );
    refused(
        "",
        &[("id", "1"), ("name", "a"), ("cap", "0")],
        "cap",
        "no whole number above 0",
    );
    refused(
        "",
        &[("id", "1"), ("name", "a"), ("cap", "1.5")],
        "cap",
        "no whole number above 0",
    );
    refused(
        "",
        &[("id", &long), ("name", "a")],
        "reference",
        "129 bytes",
    );
    let map = "trait:T=t,reference=id";
    refused(
        map,
        &[("id", "1"), ("name", "a"), ("t", &long)],
        "T",
        "129 bytes",
    );
    let hash = "image_hash=h,reference=id";
    refused(
        hash,
        &[("id", "1"), ("name", "a"), ("h", "12")],
        "image_hash",
        "32",
    );

    let two = [
        row(1, &[("id", "1"), ("name", "a")]),
        row(4, &[("id", "2")]),
    ];
    let mapping = find("", &two).unwrap();
    let refusal = mapping.edition(&two[1], CollectionId::ZERO).unwrap_err();
    assert_eq!(
        (refusal.place.line, refusal.reference.as_deref()),
        (4, Some("2"))
    );
    assert_eq!(refusal.field.as_deref(), Some("name"));
}

#[test]
fn names_are_measured_in_bytes() {
    let name = "é".repeat(NAME_BYTES_MAX / 2);
    assert_eq!(edition("", &row(1, &[("name", &name)])).unwrap().name, name);
    let name = name + "é";
    assert!(edition("", &row(1, &[("name", &name)])).is_err());
}

#[test]
fn fields_too_long_for_a_trait_are_left_out_and_named() {
    let long = "x".repeat(NAME_BYTES_MAX + 1);
    let card = row(1, &[("name", "a"), ("text", &long), ("rarity", "C")]);
    let mapping = find("", std::slice::from_ref(&card)).unwrap();
    let (edition, left_out) = mapping.edition(&card, CollectionId::ZERO).unwrap();
    assert_eq!(traits(&edition), [("rarity", "C")]);
    assert_eq!(left_out, ["text"]);
}
