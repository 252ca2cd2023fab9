//! L49 to L52: pools of vouchers, and whether a voucher is spent.

use super::answer::{Failure, Segment, Segments, not_found, parameter};
use super::objects::proof;
use super::reading::Reading;
use axum::response::Response;
use weft_types::api::{Problem, ProofBundle, VoucherPool};
use weft_types::{Address, Object, ObjectId, SpentVoucherId, VoucherPoolId};

/// A pool of vouchers
///
/// Also one that has ended.
#[utoipa::path(get, path = "/v1/voucher-pools/{id}", tag = "vouchers",
    params(("id" = VoucherPoolId, Path)),
    responses(
        (status = 200, body = VoucherPool),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn pool(Segment(id): Segment, reading: Reading) -> Result<Response, Failure> {
    let id: VoucherPoolId = parameter("id", &id)?;
    let object = reading.view.snapshot.get(&ObjectId::VoucherPool(id));
    let found = object.as_ref().and_then(Object::as_voucher_pool);
    let found = found.ok_or_else(|| not_found(format_args!("voucher pool {id}")))?;
    Ok(reading.answer(&VoucherPool::new(id, found)))
}

/// The proof of a pool of vouchers
#[utoipa::path(get, path = "/v1/voucher-pools/{id}/proof", tag = "vouchers",
    params(("id" = VoucherPoolId, Path)),
    responses(
        (status = 200, body = ProofBundle),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn pool_proof(Segment(id): Segment, reading: Reading) -> Result<Response, Failure> {
    let id: VoucherPoolId = parameter("id", &id)?;
    proof(&reading, ObjectId::VoucherPool(id))
}

/// The proof that an account's voucher is spent, or is not
///
/// The mark of a spent one, with its proof; a proof of absence else, also some time after the pool's end.
#[utoipa::path(get, path = "/v1/voucher-pools/{id}/spent/{account}", tag = "vouchers",
    params(("id" = VoucherPoolId, Path), ("account" = Address, Path)),
    responses(
        (status = 200, body = ProofBundle),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn spent_proof(
    Segments(id, account): Segments,
    reading: Reading,
) -> Result<Response, Failure> {
    let id: VoucherPoolId = parameter("id", &id)?;
    let account: Address = parameter("account", &account)?;
    let mark = SpentVoucherId::derive(&id, &account);
    proof(&reading, ObjectId::SpentVoucher(mark))
}
