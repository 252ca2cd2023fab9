use super::*;
use std::time::Duration;

/// Says what it was handed; wants a tick at a time.
struct Part(Option<Millis>);

impl Decides for Part {
    type Input = u32;
    type Effect = u32;

    fn handle(&mut self, _: Millis, input: u32, out: &mut Vec<u32>) {
        out.push(input);
    }

    fn next_deadline(&self) -> Option<Millis> {
        self.0
    }

    fn tick() -> u32 {
        0
    }
}

#[tokio::test]
async fn a_question_goes_on_while_ticks_and_other_things_come_and_is_answered_once() {
    let clock = Clock::start();
    let mut asking = Asking::new(Part(None), clock);
    let (answer, question) = tokio::sync::oneshot::channel();
    asking.ask(async { question.await.unwrap_or(99) });
    let short = Duration::from_millis(5);
    assert!(tokio::time::timeout(short, asking.next()).await.is_err());
    *asking.part() = Part(Some(clock.now()));
    assert_eq!(asking.next().await, 0, "the deadline");
    answer.send(7).unwrap();
    *asking.part() = Part(None);
    let answered = asking.next().await;
    assert_eq!(asking.handle(answered), [7]);
    assert!(tokio::time::timeout(short, asking.next()).await.is_err());
}
