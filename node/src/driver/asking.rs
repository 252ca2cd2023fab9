//! The loop of the tasks that ask the base chain: a pure part decides, one question at a time is under way, and nothing that
//! falls due meanwhile is missed.

use super::clock::Clock;
use std::pin::Pin;
use weft_types::Millis;

/// What decides: inputs and the time come in, effects and a deadline go out.
pub trait Decides {
    type Input;
    type Effect;

    fn handle(&mut self, now: Millis, input: Self::Input, out: &mut Vec<Self::Effect>);
    /// When it wants [`tick`](Self::tick) at the latest.
    fn next_deadline(&self) -> Option<Millis>;
    fn tick() -> Self::Input;
}

/// A pure part with the question that it has under way.
pub struct Asking<'a, P: Decides> {
    part: P,
    clock: Clock,
    question: Option<Question<'a, P::Input>>,
}

type Question<'a, I> = Pin<Box<dyn Future<Output = I> + Send + 'a>>;

impl<'a, P: Decides> Asking<'a, P> {
    pub fn new(part: P, clock: Clock) -> Self {
        Self {
            part,
            clock,
            question: None,
        }
    }

    pub fn part(&mut self) -> &mut P {
        &mut self.part
    }

    /// What is to be done after an input.
    pub fn handle(&mut self, input: P::Input) -> Vec<P::Effect> {
        let mut effects = Vec::new();
        self.part.handle(self.clock.now(), input, &mut effects);
        effects
    }

    pub fn ask(&mut self, question: impl Future<Output = P::Input> + Send + 'a) {
        self.question = Some(Box::pin(question));
    }

    /// The answer, or a tick at the deadline. To be dropped before that costs nothing: the question goes on.
    pub async fn next(&mut self) -> P::Input {
        let deadline = self.part.next_deadline();
        let sleep = async {
            match deadline {
                Some(at) => tokio::time::sleep_until(self.clock.instant(at)).await,
                None => std::future::pending().await,
            }
        };
        let question = &mut self.question;
        let answer = async {
            match question {
                Some(question) => question.await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            answered = answer => {
                self.question = None;
                answered
            }
            () = sleep => P::tick(),
        }
    }
}

#[cfg(test)]
mod tests;
