use super::*;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Long enough for what does not wait.
const SOON: Duration = Duration::from_secs(5);

type Answered = JoinHandle<Result<Vec<Result<(), Refusal>>, Failure>>;

fn submit(submitter: &Submitter) -> Answered {
    let submitter = submitter.clone();
    tokio::spawn(async move { submitter.submit(vec![], 1).await })
}

#[tokio::test]
async fn at_the_bound_submissions_are_refused_until_the_replica_takes_one() {
    let (submitter, mut replica) = Submitter::channel();
    let mut waiting: Vec<Answered> = Vec::new();
    for _ in 0..SUBMISSIONS_MAX {
        waiting.push(submit(&submitter));
    }
    while replica.len() < SUBMISSIONS_MAX {
        tokio::task::yield_now().await;
    }
    let further = timeout(SOON, submitter.submit(vec![], 1)).await;
    let refused = further.expect("it waits as well").unwrap_err();
    assert_eq!(refused.problem.code, ProblemCode::Overloaded.as_str());

    let taken = replica.recv().await.unwrap();
    taken.answer.send(vec![]).unwrap();
    waiting.push(submit(&submitter));
    for _ in 0..SUBMISSIONS_MAX {
        let next = replica.recv().await.unwrap();
        next.answer.send(vec![]).unwrap();
    }
    for answered in waiting {
        assert!(answered.await.unwrap().is_ok());
    }
}
