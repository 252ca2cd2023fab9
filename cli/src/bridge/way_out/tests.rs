use super::*;
use std::cell::Cell;
use weft_types::Amount;

const FAST: Pace = Pace {
    look: Duration::from_millis(1),
    pause_max: Duration::from_millis(4),
};

fn patience(wait: Duration) -> Patience {
    Patience::with(wait, FAST)
}

fn standing(state: State) -> Vec<Standing> {
    let asset = BaseAsset::Native { amount: Amount(1) };
    vec![Standing::new(0, asset, state, "")]
}

fn away() -> Failure {
    Failure::new(Kind::Unreachable, "no answer")
}

#[tokio::test]
async fn a_base_chain_that_does_not_answer_is_asked_again_and_the_way_goes_on() {
    let asked = Cell::new(0);
    let step = || async {
        asked.set(asked.get() + 1);
        match asked.get() {
            1 | 4 => Ok(standing(State::Claimed)),
            2 | 3 => Err(away()),
            5 => Err(Failure::new(Kind::Refused, "too many requests")),
            _ => Ok(standing(State::Paid)),
        }
    };
    let minute = patience(Duration::from_secs(60));
    let ended = go_on(minute, &Output::new(false), step).await;
    assert_eq!((ended.unwrap()[0].state, asked.get()), (State::Paid, 6));
}

#[tokio::test]
async fn it_ends_with_the_failure_when_its_time_is_over() {
    let asked = Cell::new(0);
    let step = || async {
        asked.set(asked.get() + 1);
        Err::<Vec<Standing>, _>(away())
    };
    let output = Output::new(false);
    let ended = go_on(patience(Duration::from_millis(50)), &output, step).await;
    assert_eq!(ended.unwrap_err().kind, Kind::Unreachable);
    assert!((3..60).contains(&asked.get()), "{}", asked.get());
    asked.set(0);
    let ended = go_on(patience(Duration::ZERO), &output, step).await;
    assert!(
        ended.is_err() && asked.get() == 1,
        "nothing was to be waited for"
    );
}

#[tokio::test]
async fn what_will_not_change_is_not_tried_again() {
    for kind in [Kind::Usage, Kind::Invalid, Kind::Failed] {
        let asked = Cell::new(0);
        let step = || async {
            asked.set(asked.get() + 1);
            Err::<Vec<Standing>, _>(Failure::new(kind, "wrong"))
        };
        let minute = patience(Duration::from_secs(60));
        let ended = go_on(minute, &Output::new(false), step).await;
        assert_eq!((ended.unwrap_err().kind, asked.get()), (kind, 1));
    }
}

#[test]
fn a_latch_that_is_not_tripped_is_told_of_with_the_time_from_which_on_it_can_be() {
    let latch = Latch {
        opens_at: 90,
        ..crate::bridge::standing_still::tests::latch(None, None)
    };
    let words = too_early(&latch);
    assert!(words.contains("from 1970-01-01 00:01:30Z on"), "{words}");
    assert!(words.contains("only if no checkpoint"), "{words}");
}
