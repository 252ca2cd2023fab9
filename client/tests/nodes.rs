//! The client against nodes that answer by a script.

mod stub;

use std::time::{Duration, Instant};
use stub::{Answer, Stub, options};
use weft_client::{Client, ClientError, DealQuery, Options, PageQuery, Wait};
use weft_types::api::{
    DealState, Event, NodeStatus, Page, Problem, ProblemCode, Refused, Submission, Topic,
    TransactionState, TransactionStatus,
};
use weft_types::{
    Address, Amount, AssetId, CommitIndex, Height, MemberIndex, Millis, Operation, Payment, Root,
    Round, Transaction, testing,
};

fn transaction(nonce: u64) -> Transaction {
    let payment = Payment {
        to: testing::user(2),
        asset: AssetId::NATIVE,
        amount: Amount(1),
    };
    let pay = Operation::Transfer {
        payments: vec![payment],
        items: vec![],
    };
    testing::transaction(1, nonce, vec![pay])
}

fn taken(transaction: &Transaction, state: TransactionState) -> Submission {
    Submission::Taken(TransactionStatus::unordered(transaction.id(), state))
}

fn refused(transaction: &Transaction, code: ProblemCode) -> Submission {
    Submission::Refused(Refused {
        id: Some(transaction.id()),
        problem: Problem::new(code, "by the script"),
    })
}

fn account(address: Address) -> weft_types::api::Account {
    weft_types::api::Account {
        address,
        balances: vec![],
        exit_address: None,
        keys: None,
    }
}

fn posted(height: u64) -> Event {
    Event::Checkpoint {
        height: Height(height),
        anchored: false,
    }
}

#[tokio::test]
async fn a_node_that_is_gone_is_passed_over_and_not_asked_first_again() {
    let there = Stub::start([Answer::json(&account(testing::user(1)))]).await;
    // A port that was free a moment ago.
    let gone = Stub::start([]).await.stop();
    let client = Client::with_options([gone, there.url()], options()).unwrap();
    for _ in 0..2 {
        let answered = client.account(&testing::user(1)).await.unwrap();
        assert_eq!(answered.address, testing::user(1));
    }
    assert_eq!(client.node(), there.url());
}

#[tokio::test]
async fn a_refusal_is_an_answer_and_only_what_may_change_is_asked_again() {
    let problem = Problem::new(ProblemCode::NotFound, "account x is not known here");
    let node = Stub::start([Answer::problem(&problem)]).await;
    let client = Client::with_options([node.url()], options()).unwrap();
    let error = client.account(&testing::user(1)).await.unwrap_err();
    assert!(error.is_not_found() && !error.is_retryable());
    assert_eq!(error.code(), Some("not-found"));
    assert_eq!(error.problem(), Some(&problem));
    assert_eq!(node.requests().len(), 1);

    let busy = Problem::new(ProblemCode::Overloaded, "busy");
    let answers = [
        Answer::problem(&busy).header("retry-after", "0"),
        Answer::text(502, "<html>bad gateway</html>"),
        Answer::json(&account(testing::user(1))),
    ];
    let node = Stub::start(answers).await;
    let client = Client::with_options([node.url()], options()).unwrap();
    client.account(&testing::user(1)).await.unwrap();
    assert_eq!(node.requests().len(), 3);
}

#[tokio::test]
async fn after_all_rounds_the_last_failure_is_returned() {
    let node = Stub::start([Answer::text(503, "down for maintenance")]).await;
    let client = Client::with_options([node.url()], options()).unwrap();
    let error = client.status().await.unwrap_err();
    assert_eq!(error.status(), Some(503));
    assert!(
        error.to_string().contains("down for maintenance"),
        "{error}"
    );
    assert_eq!(node.requests().len(), options().rounds as usize);
}

#[tokio::test]
async fn a_node_that_does_not_answer_costs_no_more_than_the_time_out() {
    let silent = Stub::start([Answer::json(&()).after(Duration::from_secs(60))]).await;
    let there = Stub::start([Answer::json(&account(testing::user(1)))]).await;
    let client = Client::with_options([silent.url(), there.url()], options()).unwrap();
    let begun = Instant::now();
    client.account(&testing::user(1)).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5));

    let alone = Client::with_options([silent.url()], options()).unwrap();
    let error = alone.account(&testing::user(1)).await.unwrap_err();
    assert!(matches!(error, ClientError::TimedOut { .. }), "{error}");
}

#[tokio::test]
async fn readings_are_never_older_than_what_was_seen() {
    let page: Page<weft_types::api::Item> = Page {
        items: vec![],
        next: None,
    };
    let node = Stub::start([Answer::json(&page).header("weft-commit", "41")]).await;
    let client = Client::with_options([node.url()], options()).unwrap();
    let query = PageQuery {
        cursor: Some("a b&c".to_owned()),
        limit: Some(3),
    };
    for _ in 0..2 {
        client
            .account_items(&testing::user(1), &query)
            .await
            .unwrap();
    }
    client.has_seen(CommitIndex(40));
    assert_eq!(client.seen(), CommitIndex(41));
    let asked: Vec<String> = node.requests().into_iter().map(|r| r.path).collect();
    let path = format!(
        "/v1/accounts/{}/items?cursor=a+b%26c&limit=3",
        testing::user(1)
    );
    assert_eq!(asked, [path.clone(), format!("{path}&min_commit=41")]);
}

#[tokio::test]
async fn a_query_for_deals_is_written_as_nodes_read_it() {
    let page: Page<weft_types::api::Deal> = Page {
        items: vec![],
        next: None,
    };
    let node = Stub::start([Answer::json(&page)]).await;
    let client = Client::with_options([node.url()], options()).unwrap();
    let query = DealQuery {
        traits: vec![("type".to_owned(), "Flug: ö".to_owned())],
        state: Some(DealState::Taken),
        ..DealQuery::default()
    };
    client.deals(&query, &PageQuery::limit(2)).await.unwrap();
    let path = "/v1/deals?state=taken&trait=type%3AFlug%3A+%C3%B6&limit=2";
    assert_eq!(node.requests()[0].path, path);
}

#[tokio::test]
async fn a_transaction_is_sent_again_until_it_has_come_as_far_as_waited_for() {
    use TransactionState::{Certified, Committed, Submitted};
    let sent = transaction(1);
    let script = [
        vec![refused(&sent, ProblemCode::MempoolFull)],
        vec![taken(&sent, Submitted)],
        vec![taken(&sent, Committed)],
        vec![taken(&sent, Certified)],
    ];
    let node = Stub::start(script.map(|answers| Answer::json(&answers))).await;
    let client = Client::with_options([node.url()], options()).unwrap();
    let status = client.submit(&sent, Wait::Certified).await.unwrap();
    assert_eq!(status.state, Certified);
    let requests = node.requests();
    assert_eq!(requests.len(), 4);
    for request in requests {
        assert_eq!(request.path, "/v1/transactions?wait=certified");
        assert_eq!(request.header("content-type"), "application/x-protobuf");
        assert_eq!(request.transactions(), [sent.id()]);
    }
}

/// Takes everything and does nothing about it, as long as anybody waits.
async fn censor(sent: &Transaction) -> Stub {
    let answer = Answer::json(&[taken(sent, TransactionState::Submitted)]);
    Stub::start([answer.after(Duration::from_secs(30))]).await
}

#[tokio::test]
async fn a_transaction_that_a_node_sits_on_goes_to_the_next_one_the_same_bytes() {
    let sent = transaction(1);
    let censor = censor(&sent).await;
    let committed = taken(&sent, TransactionState::Committed);
    let there = Stub::start([Answer::json(&[committed])]).await;
    let patient = Options {
        request_timeout: Duration::from_secs(15),
        ..options()
    };
    let client = Client::with_options([censor.url(), there.url()], patient).unwrap();
    for _ in 0..2 {
        let begun = Instant::now();
        let status = client.submit(&sent, Wait::Committed).await.unwrap();
        assert_eq!(status.state, TransactionState::Committed);
        assert!(
            begun.elapsed() < Duration::from_secs(5),
            "{:?}",
            begun.elapsed()
        );
    }
    assert_eq!(censor.requests().len(), 1, "it is not asked first again");
    assert_eq!(
        censor.requests()[0].transactions(),
        there.requests()[0].transactions()
    );
}

#[tokio::test]
async fn a_refusal_elsewhere_does_not_unsay_that_a_node_has_taken_it() {
    let sent = transaction(1);
    let submitted = Answer::json(&[taken(&sent, TransactionState::Submitted)]);
    let committed = Answer::json(&[taken(&sent, TransactionState::Committed)]);
    let first = Stub::start([submitted, committed]).await;
    let other = Stub::start([Answer::json(&[refused(&sent, ProblemCode::Expired)])]).await;
    let client = Client::with_options([first.url(), other.url()], options()).unwrap();
    let status = client.submit(&sent, Wait::Committed).await.unwrap();
    assert_eq!(status.state, TransactionState::Committed);
}

#[tokio::test]
async fn nodes_that_all_sit_on_a_transaction_cost_no_more_than_the_time_for_the_outcome() {
    let sent = transaction(1);
    let (one, two) = (censor(&sent).await, censor(&sent).await);
    let short = Options {
        request_timeout: Duration::from_secs(15),
        outcome_timeout: Duration::from_secs(3),
        ..options()
    };
    let client = Client::with_options([one.url(), two.url()], short).unwrap();
    let begun = Instant::now();
    let error = client.submit(&sent, Wait::Committed).await.unwrap_err();
    assert!(matches!(error, ClientError::TimedOut { .. }), "{error}");
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
}

/// A member's node that answers who it is, with its committee first if it is asked for that.
async fn member(index: u32, committee: bool, then: Answer) -> Stub {
    let members = testing::committee(4);
    let chain = weft_types::api::Committee {
        epoch: members.epoch(),
        digest: members.digest(),
        total: members.total(),
        quorum: members.quorum(),
        members: members.members().to_vec(),
    };
    let status = NodeStatus {
        history_from: CommitIndex::ZERO,
        name: "n".to_owned(),
        version: "1".to_owned(),
        network: testing::network().id(),
        epoch: members.epoch(),
        round: Round(1),
        commit: CommitIndex(0),
        timestamp: Millis(0),
        height: Height(0),
        state_root: Root([0; 32]),
        certified_height: Height(0),
        anchored_height: Height(0),
        checkpoint_missed: None,
        peers: 3,
        member: Some(MemberIndex(index)),
        voting: true,
        why_not_voting: None,
        accepting: true,
        why_not_accepting: None,
        rss_mb: 1,
        uptime_s: 1,
    };
    let asked = committee.then(|| Answer::json(&chain));
    Stub::start(asked.into_iter().chain([Answer::json(&status), then])).await
}

#[tokio::test]
async fn copies_go_to_the_first_members_of_a_transaction_s_order() {
    let sent = transaction(1);
    let order = testing::committee(4).proposers(&sent.id(), 4);
    let mut nodes = Vec::new();
    for index in 0..4 {
        let state = match order[0].0 == index {
            true => TransactionState::Committed,
            false => TransactionState::Submitted,
        };
        let answer = Answer::json(&[taken(&sent, state)]);
        nodes.push(member(index, index == 0, answer).await);
    }
    let two = Options {
        copies: 2,
        ..options()
    };
    let client = Client::with_options(nodes.iter().map(Stub::url), two).unwrap();
    // The second one may be told before or after the first has the outcome.
    client.submit(&sent, Wait::Submitted).await.unwrap();
    for (member, node) in order.iter().zip(0..) {
        let asked = nodes[member.as_usize()].requests();
        let given: Vec<String> = asked.into_iter().map(|r| r.path).collect();
        let given = given.iter().filter(|p| p.starts_with("/v1/transactions"));
        let given: Vec<&String> = given.collect();
        match node {
            0 | 1 => assert_eq!(given, ["/v1/transactions?copies=2"]),
            _ => assert!(given.is_empty(), "{given:?}"),
        }
    }
}

#[tokio::test]
async fn of_many_transactions_only_the_open_ones_are_sent_again() {
    use TransactionState::{Committed, Rejected};
    let sent = [transaction(1), transaction(2), transaction(3)];
    let first = vec![
        taken(&sent[0], Rejected),
        refused(&sent[1], ProblemCode::Overloaded),
        refused(&sent[2], ProblemCode::SignatureInvalid),
    ];
    let second = vec![taken(&sent[1], Committed)];
    let node = Stub::start([Answer::json(&first), Answer::json(&second)]).await;
    let client = Client::with_options([node.url()], options()).unwrap();
    let answers = client.submit_many(&sent, Wait::Committed).await.unwrap();
    assert_eq!(answers[..1], first[..1]);
    assert_eq!(answers[1..2], second[..]);
    assert_eq!(answers[2..], first[2..]);
    assert_eq!(node.requests()[1].transactions(), [sent[1].id()]);

    let last = client
        .submit_once(vec![sent[0].encoded().clone(); 2], Wait::Submitted)
        .await;
    assert!(matches!(last, Err(ClientError::Malformed { .. })));
}

#[tokio::test]
async fn a_transaction_that_is_refused_for_good_is_an_error_with_its_problem() {
    let sent = transaction(1);
    let answer = vec![refused(&sent, ProblemCode::WrongNetwork)];
    let node = Stub::start([Answer::json(&answer)]).await;
    let client = Client::with_options([node.url()], options()).unwrap();
    let error = client.submit(&sent, Wait::Committed).await.unwrap_err();
    assert_eq!(error.code(), Some("wrong-network"));
    assert_eq!(node.requests().len(), 1);
}

#[tokio::test]
async fn a_transaction_of_somebody_else_is_followed_although_it_is_unknown_at_first() {
    let id = transaction(1).id();
    let unknown = Problem::new(ProblemCode::NotFound, "unknown");
    let committed = TransactionStatus::unordered(id, TransactionState::Committed);
    let node = Stub::start([Answer::problem(&unknown), Answer::json(&committed)]).await;
    let client = Client::with_options([node.url()], options()).unwrap();
    let status = client.follow(&id, Wait::Committed).await.unwrap();
    assert_eq!(status, committed);
}

#[tokio::test]
async fn a_stream_comes_back_behind_the_last_event_at_another_node() {
    let frame = |id: &str, height: u64| {
        let json = serde_json::to_string(&posted(height)).unwrap();
        format!("id: {id}\nevent: checkpoint\ndata: {json}\n\n")
    };
    let end = serde_json::to_string(&Event::End {
        reason: "stop".to_owned(),
    })
    .unwrap();
    let first = format!(":\n\nretry: 1\n{}id: 1-6\ndata: {end}\n\n", frame("1-5", 1));
    let first = Stub::start([Answer::events(&first), Answer::text(503, "stopping")]).await;
    let second = Stub::start([Answer::events(&frame("2-1", 2))]).await;
    let client = Client::with_options([first.url(), second.url()], options()).unwrap();
    let mut stream = client.stream(&[Topic::Commits, Topic::Dag]);
    for (id, height) in [("1-5", 1), ("2-1", 2)] {
        let event = stream.next().await.unwrap();
        assert_eq!(event.id.as_deref(), Some(id));
        assert_eq!(event.event, posted(height));
    }
    let asked = first.requests().remove(0);
    assert_eq!(asked.path, "/v1/stream?topics=commits%2Cdag");
    assert_eq!(asked.header("last-event-id"), "");
    assert_eq!(second.requests()[0].header("last-event-id"), "1-6");
}

#[tokio::test]
async fn an_event_that_cannot_be_read_is_an_error_and_the_stream_goes_on() {
    let good = serde_json::to_string(&posted(3)).unwrap();
    let text = format!("data: {{}}\n\ndata: {good}\n\n");
    let node = Stub::start([Answer::events(&text)]).await;
    let client = Client::with_options([node.url()], options()).unwrap();
    let mut stream = client.stream(&[Topic::Commits]);
    let error = stream.next().await.unwrap_err();
    assert!(matches!(error, ClientError::Malformed { .. }), "{error}");
    assert_eq!(stream.next().await.unwrap().event, posted(3));
}

#[tokio::test]
async fn an_answer_that_is_no_json_of_the_form_names_the_node() {
    let node = Stub::start([Answer::text(200, "hello")]).await;
    let client = Client::with_options([node.url()], options()).unwrap();
    let error = client.status().await.unwrap_err();
    assert!(error.to_string().starts_with(&node.url()), "{error}");
    assert_eq!(node.requests().len(), 1);
}

#[tokio::test]
async fn a_genesis_that_contradicts_itself_is_refused() {
    let mut genesis = testing::genesis(4);
    let node = Stub::start([Answer::json(&genesis)]).await;
    let client = Client::with_options([node.url()], options()).unwrap();
    assert_eq!(client.genesis().await.unwrap(), genesis);
    genesis.template.name = "forged".to_owned();
    let node = Stub::start([Answer::json(&genesis)]).await;
    let client = Client::with_options([node.url()], options()).unwrap();
    assert!(matches!(
        client.genesis().await,
        Err(ClientError::Malformed { .. })
    ));
}
