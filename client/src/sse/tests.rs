use super::*;

/// The events of a text that arrives in pieces of this length: id and data.
fn events(text: &str, piece: usize) -> Vec<(Option<String>, String)> {
    let mut parser = Parser::default();
    let pieces = text.as_bytes().chunks(piece);
    let frames = pieces.flat_map(|p| parser.feed(p).unwrap());
    frames.map(|f| (f.id, f.data)).collect()
}

#[test]
fn events_are_the_same_however_the_bytes_are_cut_and_lines_end() {
    let text = "\u{feff}: hello\nevent: item\nid: 1-7\ndata: {\"a\":\ndata:  \"é\"}\n\nretry: 50\n\n\
                data\n\nid\ndata: last\n\ndata: unfinished\n";
    let expected = [
        (Some("1-7".to_owned()), "{\"a\":\n \"é\"}".to_owned()),
        (Some("1-7".to_owned()), String::new()),
        (None, "last".to_owned()),
    ];
    for line_end in ["\n", "\r\n", "\r"] {
        let text = text.replace('\n', line_end);
        for piece in [1, 2, 3, 5, 1_000] {
            assert_eq!(events(&text, piece), expected, "{line_end:?} by {piece}");
        }
    }
}

#[test]
fn an_id_stays_until_another_and_one_with_a_zero_byte_is_ignored() {
    let text = "id: 5\ndata: a\n\ndata: b\n\nid: 6\0\ndata: c\n\n";
    let ids: Vec<Option<String>> = events(text, 4).into_iter().map(|(id, _)| id).collect();
    assert_eq!(
        ids,
        [
            Some("5".to_owned()),
            Some("5".to_owned()),
            Some("5".to_owned())
        ]
    );
}

#[test]
fn the_pause_that_the_server_asks_for_is_kept() {
    let mut parser = Parser::default();
    parser.feed(b"retry: 1500\n").unwrap();
    assert_eq!(parser.retry(), Some(Duration::from_millis(1_500)));
}

#[test]
fn an_event_without_an_end_is_refused_before_it_fills_the_memory() {
    let mut line = Parser::default();
    let endless = vec![b'x'; EVENT_BYTES_MAX + 1];
    assert_eq!(line.feed(&endless).unwrap_err(), SseError);
    let mut lines = Parser::default();
    let data = [b"data:".as_slice(), &vec![b'x'; EVENT_BYTES_MAX / 2], b"\n"].concat();
    lines.feed(&data).unwrap();
    assert_eq!(lines.feed(&data).unwrap_err(), SseError);
}
