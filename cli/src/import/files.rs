//! `--files`: images and metadata beside a catalogue. Their hashes become part of the editions' terms, their
//! bytes go to the nodes once the editions are there.

use super::plan::{Card, Plan, Refusal};
use crate::content::{self, Loaded};
use crate::failure::Failure;
use crate::sending::Session;
use indicatif::ProgressBar;
use std::path::{Component, Path, PathBuf};
use weft_types::ContentHash;

/// Gives the cards the hashes of their files. A card whose file is not there, is too long or has not the hash that the
/// catalogue says is refused.
pub fn attach(plan: &mut Plan, folder: &Path) {
    for mut card in std::mem::take(&mut plan.cards) {
        match attached(&mut card, folder) {
            Ok(()) => plan.cards.push(card),
            Err((field, reason)) => plan.refused.push(Refusal {
                place: card.place,
                reference: Some(card.edition.reference),
                field: Some(field.to_owned()),
                reason,
            }),
        }
    }
    plan.refused.sort_by_key(|refusal| refusal.place);
}

fn attached(card: &mut Card, folder: &Path) -> Result<(), (&'static str, String)> {
    let edition = &mut card.edition;
    // An image elsewhere on the web stays there.
    let image = Some(edition.image.as_str()).filter(|i| !i.is_empty() && !i.contains("://"));
    for (field, name, hash) in [
        ("image", image, &mut edition.image_hash),
        (
            "metadata",
            card.metadata.as_deref(),
            &mut edition.metadata_hash,
        ),
    ] {
        let Some(name) = name else { continue };
        let refuse = |reason: String| (field, reason);
        let path = inside(folder, name)
            .ok_or_else(|| refuse(format!("{name:?} leads out of the folder of files")))?;
        let file: Loaded = content::load(&path).map_err(|e| refuse(format!("has no file: {e}")))?;
        if hash.is_some_and(|said| said != file.hash) {
            return Err(refuse(format!(
                "is a file of hash {}, not of that of the catalogue",
                file.hash
            )));
        }
        *hash = Some(file.hash);
        card.files.push((path, file.hash));
    }
    Ok(())
}

/// A catalogue names files of its own folder and no others.
fn inside(folder: &Path, name: &str) -> Option<PathBuf> {
    let plain = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    let name = Path::new(name);
    name.components().all(plain).then(|| folder.join(name))
}

/// Gives the files to the nodes. Returns how many.
pub async fn upload(
    session: &Session,
    files: &[(PathBuf, ContentHash)],
    bar: &ProgressBar,
) -> Result<u64, Failure> {
    let mut uploaded = 0;
    for (path, hash) in files {
        let file = content::loaded(path)?;
        if file.hash != *hash {
            let words = format!("{}: has changed since it was read", path.display());
            return Err(Failure::usage(words));
        }
        content::give(&session.client, path, file).await?;
        uploaded += 1;
        bar.inc(1);
    }
    Ok(uploaded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::mapping::Mapping;
    use crate::import::plan::Place;
    use crate::import::source::Row;
    use weft_types::CollectionId;

    fn row(line: u64, fields: &[(&str, &str)]) -> Row {
        let fields = fields.iter();
        Row {
            place: Place::line(line),
            fields: fields
                .map(|(f, v)| ((*f).to_owned(), (*v).to_owned()))
                .collect(),
        }
    }

    #[test]
    fn cards_have_the_hashes_of_their_files_and_those_without_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("mew.png"), b"mew").unwrap();
        std::fs::write(folder.path().join("mew.json"), b"{}").unwrap();
        let wrong = ContentHash::of(b"other").to_string();
        let rows = [
            row(
                1,
                &[
                    ("id", "a"),
                    ("name", "Mew"),
                    ("image", "mew.png"),
                    ("about", "mew.json"),
                ],
            ),
            row(
                2,
                &[
                    ("id", "b"),
                    ("name", "Far"),
                    ("image", "https://cards.example/b.png"),
                ],
            ),
            row(3, &[("id", "c"), ("name", "None"), ("image", "none.png")]),
            row(4, &[("id", "d"), ("name", "Out"), ("image", "../mew.png")]),
            row(
                5,
                &[
                    ("id", "e"),
                    ("name", "Wrong"),
                    ("image", "mew.png"),
                    ("hash", &wrong),
                ],
            ),
        ];
        let wanted = "metadata=about,image_hash=hash".parse().unwrap();
        let mapping = Mapping::find(wanted, &rows, 9).unwrap();
        let mut plan = Plan::new(&rows, vec![], &mapping, CollectionId::ZERO);
        attach(&mut plan, folder.path());
        let refused = plan.refused.iter().map(|r| r.place.line);
        assert_eq!(refused.collect::<Vec<_>>(), [3, 4, 5]);
        let hashes = |card: &Card| (card.edition.image_hash, card.edition.metadata_hash);
        let [image, metadata] = [&b"mew"[..], b"{}"].map(|b| Some(ContentHash::of(b)));
        assert_eq!(hashes(&plan.cards[0]), (image, metadata));
        assert_eq!(plan.cards[0].files.len(), 2);
        assert_eq!(hashes(&plan.cards[1]), (None, None));
    }
}
