use super::*;
use futures::executor::block_on;
use futures::io::Cursor;

fn written(frame: &Frame) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    block_on(write_frame(&mut out, frame)).expect("memory takes everything");
    out.into_inner()
}

/// Reads one frame, payload included.
fn read(bytes: &[u8], payload_bytes_max: usize) -> Result<(FrameKind, Bytes), ReadError> {
    block_on(async {
        let mut stream = Cursor::new(bytes);
        let (kind, length) = read_frame_head(&mut stream, payload_bytes_max).await?;
        Ok((kind, read_bytes(&mut stream, length).await?))
    })
}

#[test]
fn a_frame_comes_back_as_it_went() {
    for length in [0, 1, 126, 127, 128, 16_382, 16_383, 16_384, 70_000] {
        let payload = Bytes::from(vec![0xa5; length]);
        let kind = FrameKind(7);
        let bytes = written(&Frame {
            kind,
            payload: payload.clone(),
        });
        assert_eq!(
            read(&bytes, length).expect("within the limit"),
            (kind, payload)
        );
    }
}

#[test]
fn the_encoding_is_length_kind_payload() {
    let frame = Frame {
        kind: FrameKind(9),
        payload: Bytes::from(vec![1; 300]),
    };
    let bytes = written(&frame);
    assert_eq!(&bytes[..4], [0xad, 0x02, 9, 1]);
    assert_eq!(bytes.len(), 2 + 1 + 300);
}

#[test]
fn a_payload_over_the_limit_is_refused_by_its_length_alone() {
    let frame = Frame {
        kind: FrameKind(1),
        payload: Bytes::from(vec![0; 101]),
    };
    let head_only = &written(&frame)[..2];
    assert!(matches!(
        read(head_only, 100),
        Err(ReadError::TooLong {
            bytes: 101,
            bytes_max: 100
        })
    ));
}

#[test]
fn malformed_frames_are_told_apart() {
    let end = io::ErrorKind::UnexpectedEof;
    let is_end = |error: &ReadError| matches!(error, ReadError::Io(error) if error.kind() == end);
    assert!(matches!(read(&[], 1000), Err(ReadError::Ended)));
    assert!(matches!(read(&[0], 1000), Err(ReadError::NoKind)));
    for cut in [&[0x80][..], &[5], &[5, 1], &[5, 1, 2]] {
        assert!(is_end(&read(cut, 1000).expect_err("cut short")), "{cut:?}");
    }
    for no_length in [[0xff; 5], [0x80, 0x80, 0x80, 0x80, 0x10]] {
        assert!(matches!(read(&no_length, 1000), Err(ReadError::Length)));
    }
}

#[test]
fn a_message_may_be_empty() {
    let mut out = Cursor::new(Vec::new());
    block_on(write_message(&mut out, &[])).expect("memory takes everything");
    let bytes = out.into_inner();
    assert_eq!(bytes, [0]);
    let message = block_on(read_message(&mut Cursor::new(bytes), 10));
    assert_eq!(message.expect("valid"), Bytes::new());
}
