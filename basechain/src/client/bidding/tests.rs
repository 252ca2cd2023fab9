use super::*;

fn said(message: &str) -> Option<Answer> {
    answer(&ClientError::Answer {
        url: String::new(),
        what: "checkpoint",
        code: -32_000,
        message: message.to_owned(),
    })
}

#[test]
fn what_nodes_say_of_a_transaction_is_understood() {
    for words in [
        "replacement transaction underpriced",
        "replacement transaction underpriced: needs max fee per gas 5, max priority fee per gas 1",
        "Replacement transaction underpriced",
        "transaction underpriced: tip needed 1, tip permitted 0",
        "could not replace existing tx",
        "ReplacementNotAllowed",
    ] {
        assert_eq!(said(words), Some(Answer::Underpriced), "{words}");
    }
    let low = "nonce too low: next nonce 5, tx nonce 4";
    assert_eq!(said(low), Some(Answer::Outdated));
    assert_eq!(said("already known"), Some(Answer::Known));
    assert_eq!(said("transaction already imported"), Some(Answer::Known));
    assert_eq!(said("insufficient funds for gas * price + value"), None);
}

#[test]
fn a_raised_offer_is_enough_for_pools_and_not_above_the_most() {
    let offer = Offer {
        nonce: 7,
        fee: 1_001,
        tip: 0,
    };
    let outbid = offer.outbid();
    assert!(outbid.fee * 10 >= offer.fee * 11 && outbid.nonce == 7);
    assert_eq!(
        offer.doubled(),
        Offer {
            nonce: 7,
            fee: 2_002,
            tip: 2
        }
    );
    let capped = offer.doubled().capped(1_500);
    assert_eq!((capped.fee, capped.tip), (1_500, 2));
    let most = Offer {
        fee: u128::MAX,
        tip: u128::MAX,
        ..offer
    };
    assert_eq!((most.outbid(), most.doubled()), (most, most));
}
