//! A series as people read it.

use super::checking::Evidence;
use super::series_of;
use crate::market::deal_shown;
use crate::time;
use crate::values::lines;
use weft_types::api::{Deal, DealState};
use weft_types::{Bundle, Drawing, ItemId};

fn standing(deal: &Deal, drawing: &Drawing) -> &'static str {
    match (deal.state, drawing.closing, drawing.reveal_from) {
        (DealState::Taken, ..) => "drawn",
        (DealState::Cancelled, ..) => "cancelled",
        (DealState::Expired, ..) if drawing.packs.is_empty() => "expired",
        (DealState::Expired, ..) => "undone: the secret was late",
        (DealState::Open, None, _) => "for sale",
        (DealState::Open, Some(_), None) if drawing.lot.is_none() => "sold, waits for its lot",
        (DealState::Open, Some(_), None) => "sold, waits for a height that has its lot",
        (DealState::Open, Some(_), Some(_)) => "sold, waits for its secret",
    }
}

pub fn shown(evidence: &Evidence) -> String {
    let deal = &evidence.deal;
    let Ok((series, drawing)) = series_of(deal) else {
        return deal_shown(deal);
    };
    let amount = |bundle: &Bundle| bundle.assets.first().map_or(0, |a| a.amount.0);
    let packs = series.packs.max(1);
    let bond = amount(&deal.gives) / u64::from(packs);
    let cards = deal.gives.items.len();
    let lot = drawing.lot;
    let from = drawing.reveal_from;
    let late = from.map(|from| time::utc(from.saturating_add(series.reveal.0)));
    let within = match from {
        None => format!(
            "{} from a height with the lot on",
            time::span(series.reveal)
        ),
        Some(_) => String::new(),
    };
    let over = drawing.closing.map(|closing| time::utc(closing.at));
    let on_sale = match (deal.state, &over) {
        (DealState::Open, None) => time::utc(deal.expires),
        _ => String::new(),
    };
    let head = lines(&[
        ("series", deal.id.to_string()),
        ("standing", standing(deal, drawing).to_owned()),
        ("giver", deal.giver.to_string()),
        (
            "cards",
            format!("{cards}, {} in each pack", cards / packs as usize),
        ),
        (
            "packs",
            format!("{} of {} sold", drawing.packs.len(), series.packs),
        ),
        ("price", amount(&deal.wants).to_string()),
        ("bond", format!("{bond} a pack")),
        ("for sale until", on_sale),
        ("sale over", over.unwrap_or_default()),
        ("time to reveal", within),
        (
            "lot",
            lot.map_or(String::new(), |l| format!("commit {}", l.commit)),
        ),
        ("secret until", late.unwrap_or_default()),
    ]);
    // Drawn as the file has it: whether the secret is the right one is `weft pack verify`'s to say.
    let drawn = drawing.secret.as_ref().and_then(|s| deal.draw(s));
    let mut text = head;
    for (n, pack) in drawing.packs.iter().enumerate() {
        text += &format!("\npack {n} {}", pack.holder);
        let items = drawn.as_ref().and_then(|drawn| drawn.packs.get(n));
        items.into_iter().for_each(|items| text += &cards_of(items));
    }
    match &drawn {
        Some(drawn) if drawn.unsold.is_empty() => {}
        Some(drawn) => text += &format!("\nunsold, back to the giver{}", cards_of(&drawn.unsold)),
        None => text += &format!("\nin the packs{}", cards_of(&deal.gives.items)),
    }
    text
}

fn cards_of(items: &[ItemId]) -> String {
    items.iter().map(|item| format!("\n  {item}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use weft_types::testing;

    fn text(deal: &Deal) -> String {
        let deal = deal.clone();
        let (commit, proof) = (None, None);
        shown(&Evidence {
            deal,
            commit,
            proof,
        })
    }

    #[test]
    fn a_series_shows_what_is_in_it_before_the_sale_and_in_each_pack_once_it_is_drawn() {
        let (id, deal) = testing::drawn(3, 2);
        let deal = Deal::new(id, &deal);
        let after = text(&deal);
        let drawn = deal.draw(&testing::DRAW_SECRET).unwrap();
        for (n, (pack, items)) in deal
            .drawing
            .as_ref()
            .unwrap()
            .packs
            .iter()
            .zip(&drawn.packs)
            .enumerate()
        {
            let lines = format!("\npack {n} {}\n  {}\n  {}", pack.holder, items[0], items[1]);
            assert!(after.contains(&lines), "{after}");
        }
        assert!(after.contains("sale over"), "{after}");
        for gone in ["for sale until", "time to reveal", "in the packs"] {
            assert!(!after.contains(gone), "{after}");
        }

        let mut before = deal;
        before.state = DealState::Open;
        before.drawing = Some(Box::default());
        let before_text = text(&before);
        for item in &before.gives.items {
            assert!(before_text.contains(&item.to_string()), "{before_text}");
        }
        for there in [
            "for sale until",
            "10m from a height with the lot on",
            "2 in each pack",
        ] {
            assert!(before_text.contains(there), "{before_text}");
        }
        assert!(!before_text.contains("sale over"), "{before_text}");
    }
}
