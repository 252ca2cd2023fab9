use super::*;
use weft_types::testing::statement;

fn blocks(count: usize) -> Vec<Vec<Bytes>> {
    let receipt = |n: usize| Bytes::from(vec![n as u8; 40]);
    let all: Vec<Bytes> = (0..count).map(receipt).collect();
    all.chunks(LIST_BLOCK).map(<[Bytes]>::to_vec).collect()
}

fn roots(blocks: &[Vec<Bytes>]) -> Vec<Root> {
    let root = |(n, block): (u64, &Vec<Bytes>)| block_root(n, block.iter().map(|r| &r[..]));
    (0..).zip(blocks).filter_map(root).collect()
}

fn expected(blocks: &[Vec<Bytes>]) -> (Statement, Receipts) {
    let mut statement = statement(7);
    let roots = roots(blocks);
    statement.receipts_root = root_of_blocks(&roots);
    let mut receipts = Receipts::default();
    let (last, before) = (blocks.last().unwrap(), &roots[..roots.len() - 1]);
    let verdict = receipts.expect(&statement, before, last.clone());
    assert_eq!(verdict, Verdict::Good);
    (statement, receipts)
}

#[test]
fn s2_blocks_come_in_their_order_from_wherever_the_last_answer_ended() {
    let blocks = blocks(4 * LIST_BLOCK + 3);
    let (statement, mut receipts) = expected(&blocks);
    let two = blocks[..2].concat();
    let height = statement.height;
    assert_eq!(receipts.take(height, 0, &two), (Some(2), Verdict::Good));
    // More than there are before the last one are not looked at.
    let rest = blocks[2..].concat();
    assert_eq!(receipts.take(height, 2, &rest), (None, Verdict::Good));
    let of_height = &receipts.heights[&height];
    assert_eq!(of_height.receipts, blocks[..4].concat());
    assert_eq!(of_height.last, blocks[4]);
}

#[test]
fn s2_an_answer_without_a_whole_block_is_a_lie_and_not_asked_for_for_ever() {
    let blocks = blocks(2 * LIST_BLOCK);
    let (statement, mut receipts) = expected(&blocks);
    for lie in [&[][..], &blocks[0][1..], &blocks[1]] {
        let (next, verdict) = receipts.take(statement.height, 0, lie);
        assert_eq!(next, Some(0));
        assert!(matches!(verdict, Verdict::Lie(_)), "{verdict:?}");
    }
}

#[test]
fn s2_what_does_not_show_how_many_blocks_there_are_is_a_lie() {
    let blocks = blocks(3 * LIST_BLOCK);
    let (statement, mut receipts) = expected(&blocks);
    let roots = roots(&blocks);
    let last = blocks[2].clone();
    let all_in_one = blocks.concat();
    for (roots, last) in [
        (&roots[..], Vec::new()),
        (&[statement.receipts_root][..], Vec::new()),
        (&roots[..1], last.clone()),
        (&roots[1..2], last.clone()),
        (&roots[..2], last[1..].to_vec()),
        (&[], all_in_one),
    ] {
        let verdict = receipts.expect(&statement, roots, last);
        assert!(matches!(verdict, Verdict::Lie(_)), "{verdict:?}");
    }
    let none = receipts.expect(&statement, &[], Vec::new());
    assert_eq!(none, Verdict::Lacks, "they may have been deleted");
}
