//! Attachments' ciphertexts: stored under their hash, given out as a release of their chart.

use subrosa_crypto::sha256;
use subrosa_model::{Compartment, Hash32};
use subrosa_protocol::access::{Purpose, What};
use subrosa_protocol::api::ObjectAsk;
use subrosa_store::{Needs, Plan, Write};

use crate::call::{Answer, Call, Reply};
use crate::error::Refusal;
use crate::routes::release::{open_gate, served_now, wanted};
use crate::standing::NEVER;

/// Largest attachment's ciphertext, in bytes.
const MAX_OBJECT: usize = 32 * 1024 * 1024;

/// `PUT /v1/objects/{hash}`: the ciphertext as bytes.
pub async fn put(call: Call) -> Answer {
    let (app, who, now) = (&call.app, call.who()?.clone(), call.now);
    let hash: Hash32 = call.param(0)?;
    if call.body.is_empty() || call.body.len() > MAX_OBJECT {
        return Err(Refusal::too_large("An attachment has from 1 byte to 32 MB."));
    }
    if sha256(&[&call.body]) != hash {
        return Err(Refusal::bad("hash-mismatch", "The attachment did not arrive as it was sent. Send it again."));
    }
    if app.store.has_object(&hash).await?.is_some() {
        return Ok(Reply::nothing());
    }
    app.store.put_object(&hash, call.body.to_vec()).await?;
    let length = call.body.len() as u64;
    app.commit(now, Needs::default(), move |_, directory| {
        who.info(directory)?;
        Ok(Plan::accept(()).write(Write::Object { hash, length }))
    })
    .await?;
    Ok(Reply::nothing())
}

/// `POST /v1/objects/{hash}`.
pub async fn get(call: Call) -> Answer {
    let (app, who, now) = (&call.app, call.who()?.clone(), call.now);
    let hash: Hash32 = call.param(0)?;
    let ask: ObjectAsk = call.read()?;
    let directory = app.directory()?;
    let wanted = wanted(&directory, &who, &ask.request, now)?;
    let ([chart], [compartment]) = (wanted.request.charts.as_slice(), wanted.request.compartments.as_slice()) else {
        return Err(Refusal::bad("malformed", "One chart and one compartment at a time."));
    };
    if wanted.request.purpose != Purpose::Open {
        return Err(Refusal::bad("not-asked", "An attachment is opened with its chart."));
    }
    let (chart, compartment) = (*chart, *compartment);
    let carried = open_gate(app, &who, &wanted, false, What::Released, now).await?;
    served_now(&carried)?;
    let places = app.store.attachment_places(&hash, &chart).await?;
    let belongs = places.iter().any(|(c, author)| *c == compartment && (compartment != Compartment::Psychotherapy || *author == who.member()));
    if !belongs {
        return Err(NEVER);
    }
    let bytes = app.store.get_object(&hash).await?.ok_or(Refusal::missing("This attachment is not here."))?;
    Ok(Reply::bytes(bytes))
}
